"""Arrays from outside: made what is computed with, or refused in a sentence.

Accepted as a number is any integer or real number of Python or NumPy, in an array of any type or in
nested lists, but no bool; as an integer also a whole number of another type, such as 3.0.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spec.errors import UserError, digits, is_number, shown


def checked_integers(
    name: str, values: ArrayLike, shape: tuple[int, ...] | None, low: int, high: int
) -> NDArray[np.int64]:
    """Return whole numbers of a shape (any, if None) and range as int64; -1 leaves a length open.

    Raises
    ------
    UserError
        If the shape differs, or a value is not a whole number of `low` to `high`.
    """
    array = checked_array(name, values, shape)
    _require_all(
        name,
        array,
        whole(array) & (array >= low) & (array <= high),
        f"an integer of {low} to {high}",
    )
    return array.astype(np.int64)


def checked_numbers(
    name: str, values: ArrayLike, shape: tuple[int, ...], low: float, high: float, unit: str = ""
) -> NDArray[np.float64]:
    """Return numbers of a shape and range as float64; -1 in `shape` leaves a length open.

    Raises
    ------
    UserError
        If the shape differs, or a value is not a number of `low` to `high`.
    """
    array = checked_array(name, values, shape)
    wanted = f"a number of {digits(low)} to {digits(high)} {unit}".rstrip()
    _require_all(name, array, (array >= low) & (array <= high), wanted)
    return array.astype(np.float64)


def checked_floats(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers of any shape and size as float64, those that are not finite included.

    Raises
    ------
    UserError
        If the values are no numbers, or too large for float64.
    """
    array = checked_array(name, values)
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise UserError(f"{name} must fit float64, of which the largest is 1.8e308") from None


def checked_array(
    name: str, values: ArrayLike, shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Return numbers as an array of a shape (any shape, if None); -1 leaves a length open.

    Raises
    ------
    UserError
        If the shape differs, or the values are no numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise UserError(
            f"{name} must have {_named(shape)}, but have lines of different lengths"
        ) from None
    if shape is not None:
        fits = array.ndim == len(shape) and all(
            want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
        )
        if not fits:
            given = " x ".join(map(str, array.shape)) or "that of a single value"
            raise UserError(f"{name} must have {_named(shape)}, not {given}")
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize < 8:
        # Bounds may lie beyond a small type.
        return array.astype(np.float64)
    # Numbers that no type of NumPy holds stay what they are.
    if not (kind in "iuf" or (kind == "O" and all(map(is_number, array.flat)))):
        raise UserError(f"{name} must be numbers, not of type {array.dtype}")
    return array


def whole(array: NDArray[Any]) -> NDArray[np.bool_] | np.bool_:
    """Tell which numbers of an array are whole; True alone if all are by their type."""
    if array.dtype.kind in "iu":
        return np.True_
    if array.dtype.kind == "f":
        return np.isfinite(array) & (array == np.floor(array))
    return np.reshape([value % 1 == 0 for value in array.flat], array.shape).astype(bool)


def _named(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "one shape"
    return f"the shape {' x '.join('n' if n == -1 else str(n) for n in shape)}"


def _require_all(name: str, array: NDArray[Any], good: NDArray[np.bool_], wanted: str) -> None:
    """Raise `UserError` that names the first value that is not good."""
    if not good.all():
        where = tuple(int(i) for i in np.argwhere(~good)[0])
        at = str(list(where)) if where else ""
        raise UserError(f"{name}{at} must be {wanted}, not {shown(array.item(where))}")
