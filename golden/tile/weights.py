"""Weights as digits: one digit a slice, least significant slice first.

Digits are rounded, not cut: the top slice alone is the nearest weight that one array can hold,
which a low-precision inversion with that slice alone depends on. The offset mapping stores
numbers that are not negative, and cuts the two's complement weight as it is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from spec.config import ChipConfig
from spec.tables import Mapping


def checked(config: ChipConfig, weights: ArrayLike) -> NDArray[np.int64]:
    """Return weights [rows, columns] as int64, or raise `UserError` saying what is wrong."""
    expected = (config.array.rows, config.array.columns)
    return checked_integers("weights", weights, expected, *config.weight_range)


def slice_weights(config: ChipConfig, weights: ArrayLike) -> NDArray[np.int64]:
    """Cut weights [rows, columns] into digits [slices, rows, columns].

    Differential: the top digit reaches -(radix - 1) .. radix - 1, lower ones -radix/2 .. radix/2,
    each rounded to the nearest, halves towards zero. Offset: the top digit reaches -radix/2 ..
    radix/2 - 1, lower ones 0 .. radix - 1.

    Raises
    ------
    UserError
        If the shape or a weight does not fit the configuration.
    """
    rest = checked(config, weights)
    digits = np.empty((config.array.slices, *rest.shape), np.int64)
    for s in reversed(range(config.array.slices)):
        place = config.radix**s
        if config.array.mapping is Mapping.OFFSET:
            digit = rest // place
        else:
            limit = config.radix - 1 if s == config.array.slices - 1 else config.radix // 2
            nearest = np.sign(rest) * ((2 * np.abs(rest) + place - 1) // (2 * place))
            digit = np.clip(nearest, -limit, limit)
        digits[s] = digit
        rest = rest - digit * place
    return digits


def join_slices(config: ChipConfig, digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the weights [rows, columns] of digits [slices, rows, columns]."""
    return np.tensordot(config.radix ** np.arange(config.array.slices), digits, 1)
