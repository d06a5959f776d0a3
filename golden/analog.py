"""What stands behind the analogue boundary of a tile: drive it, hold it, compare it.

The model of the tile and the co-simulated RTL use the same object; the RTL asks it question by
question, through `hw.analog.AnalogPort`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.adc import Adcs
from golden.array import Array
from golden.config import ChipConfig
from golden.mapping import cell_levels, column_values
from golden.weights import slice_weights


class Analog:
    """An array with its converters."""

    def __init__(self, config: ChipConfig, array: Array):
        self.config = config
        self.array = array

    @classmethod
    def ideal(cls, config: ChipConfig, weights: ArrayLike) -> "Analog":
        """Return the ideal analogue part that holds weights [rows, columns].

        Raises
        ------
        UserError
            If the shape or a weight does not fit the configuration.
        """
        levels = cell_levels(config, slice_weights(config, weights))
        return cls(config, Array.of_levels(config, levels))

    def hold(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Drive planes of DAC codes [n, rows], settle and sample.

        Returns the held values [n, converters, groups] in units, as `golden.adc` defines them.
        """
        return column_values(self.config, self.array.currents(codes)) / self.config.unit_a

    def adcs(self, steps: NDArray[np.int64]) -> Adcs:
        """Return the converters with steps [n, steps], for values [n, planes, converters, groups].

        Steps [steps] are for the values [converters] of one group.
        """
        config = self.config
        counts = [config.adcs] * config.slices + [1] * config.unit_columns
        spread = np.repeat(steps, counts, axis=-1)
        return Adcs(config, spread if steps.ndim == 1 else spread[:, None, :, None])
