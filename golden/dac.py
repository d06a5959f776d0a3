"""Inputs as DAC codes: planes of digits, most significant first.

The order spares the accumulator a barrel shifter: it shifts left by `dac_bits` before each plane.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.config import ChipConfig
from golden.weights import checked_integers


def checked(config: ChipConfig, vectors: ArrayLike) -> NDArray[np.int64]:
    """Return input vectors [n, rows] as int64, or raise `UserError` saying what is wrong."""
    return checked_integers("inputs", vectors, (-1, config.rows), *config.input_range)


def input_planes(config: ChipConfig, vectors: ArrayLike) -> NDArray[np.int64]:
    """Cut inputs [n, rows] into DAC codes [n, planes, rows], most significant plane first.

    The top digit carries the sign; the others are 0 .. 2**dac_bits - 1.

    Raises
    ------
    UserError
        If the shape or an input does not fit the configuration.
    """
    rest = checked(config, vectors)[:, None, :]
    places = np.arange(config.planes - 1, -1, -1)[:, None] * config.dac_bits
    codes = rest >> places
    codes[:, 1:] &= (1 << config.dac_bits) - 1
    return codes
