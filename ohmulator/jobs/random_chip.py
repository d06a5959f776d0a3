"""A chip with something in it, for jobs that show the chip and not a task."""

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from spec.config import ChipConfig


def random_chip(config: ChipConfig, seed: int) -> tuple[Analog, NDArray[np.int64]]:
    """Return a chip programmed with random weights of the whole range, and its target levels.

    Levels are [slices, rows, bit_lines].
    """
    shape = (config.array.rows, config.array.columns)
    weights = np.random.default_rng(seed).integers(*config.weight_range, shape, endpoint=True)
    levels = cell_levels(config, slice_weights(config, weights))
    return Analog.programmed(config, weights), levels
