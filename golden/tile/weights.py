"""Weights as digits: one digit a slice, least significant slice first.

Digits are rounded, not cut: the top slice alone is the nearest weight that one array can hold,
which a low-precision inversion with that slice alone depends on. The offset mapping stores
numbers that are not negative, and cuts the two's complement weight as it is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spec.config import ChipConfig
from spec.errors import UserError, require, shown
from spec.tables import Mapping


def checked(config: ChipConfig, weights: ArrayLike) -> NDArray[np.int64]:
    """Return weights [rows, columns] as int64, or raise `UserError` saying what is wrong."""
    expected = (config.array.rows, config.array.columns)
    return checked_integers("weights", weights, expected, *config.weight_range)


def checked_integers(
    name: str, values: ArrayLike, shape: tuple[int, ...], low: int, high: int
) -> NDArray[np.int64]:
    """Return whole numbers of a shape and range as int64; -1 in `shape` leaves a length open.

    Raises
    ------
    UserError
        If the shape differs, or a value is not a whole number of `low` to `high`.
    """
    wanted = " x ".join("n" if n == -1 else str(n) for n in shape)
    try:
        array = np.asarray(values)
    except ValueError:
        raise UserError(
            f"{name} must have the shape {wanted}, but have lines of different lengths"
        ) from None
    fits = array.ndim == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    require(
        fits,
        f"{name} must have the shape {wanted}, not "
        f"{' x '.join(map(str, array.shape)) or 'that of a single value'}",
    )
    # Integers that no type of NumPy holds stay what they are.
    numeric = array.dtype.kind in "iuf" or all(type(value) is int for value in array.flat)
    require(numeric, f"{name} must be numbers, not of type {array.dtype}")
    bad = ~((array >= low) & (array <= high))
    if array.dtype.kind == "f":
        bad |= array != np.floor(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        require(
            False,
            f"{name}{list(where)} must be an integer of {low} to {high}, not "
            f"{shown(array.item(where))}",
        )
    return array.astype(np.int64)


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
