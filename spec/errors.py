"""The one exception that a user sees as a sentence instead of a traceback."""

import math
import numbers
from typing import SupportsInt, TypeGuard

LONGEST_SHOWN = 60
"""Characters of a refused value that a message repeats."""


class UserError(ValueError):
    """Something the user gave cannot be used; the message says what, which value and what to do.

    Attributes
    ----------
    status
        Exit status of a job that ends with this error.
    """

    status = 2


class HelperError(UserError):
    """A helper process, such as a simulator, died or gave no answer; the message says why."""

    status = 3


def shown(value: object) -> str:
    """Return a refused value as a message shows it: in one line, shortened if it is long."""
    if isinstance(value, numbers.Number) and hasattr(value, "item"):
        # A number of NumPy looks like one of Python.
        value = value.item()
    try:
        text = " ".join(repr(value).split())
    except Exception:
        # Python prints no integer of more than some thousand digits, and no list without end.
        if isinstance(value, int):
            text = f"an integer of {value.bit_length()} bits"
        else:
            text = f"a {type(value).__name__} that cannot be printed"
    if len(text) > LONGEST_SHOWN:
        text = f"{text[: LONGEST_SHOWN - 23]}... ({len(text)} characters)"
    return text


def digits(value: float) -> str:
    """Return a number with as few digits as tell it from every other one."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value)).removesuffix(".0")


def require(condition: bool, message: str) -> None:
    """Raise `UserError(message)` unless the condition holds."""
    if not condition:
        raise UserError(message)


def is_integer(value: object) -> TypeGuard[SupportsInt]:
    """Tell whether a value is an integer, Python's or NumPy's, and no bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number, Python's or NumPy's, and no bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def require_integer(name: str, value: object, low: int, high: int, unit: str = "") -> int:
    """Return an integer of `low` to `high` (not a bool) as Python's.

    Raises
    ------
    UserError
        If it is none.
    """
    if not (is_integer(value) and low <= int(value) <= high):
        raise UserError(f"{name} must be an integer of {low} to {high}{unit}, not {shown(value)}")
    return int(value)


def require_number(name: str, value: object, low: float, high: float, unit: str) -> float:
    """Return a finite number of `low` to `high` (not a bool) as Python's float; -0.0 as 0.0.

    Raises
    ------
    UserError
        If it is none.
    """
    # Compared before it is converted: an integer may be too large for a float.
    if not (is_number(value) and low <= value <= high):
        wanted = f"a number of {digits(low)} to {digits(high)} {unit}".rstrip()
        raise UserError(f"{name} must be {wanted}, not {shown(value)}")
    number = float(value)
    assert math.isfinite(number)
    return number + 0.0
