"""The one exception that a user sees as a sentence instead of a traceback."""


class UserError(ValueError):
    """Something the user gave cannot be used; the message says what, which value and what to do."""


def require(condition: bool, message: str) -> None:
    """Raise `UserError(message)` unless the condition holds."""
    if not condition:
        raise UserError(message)


def require_integer(name: str, value: object, low: int, high: int, unit: str = "") -> None:
    """Raise `UserError` unless `value` is an integer (not a bool) of `low` to `high`."""
    good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    require(good, f"{name} must be an integer of {low} to {high}{unit}, not {value!r}")


def require_number(name: str, value: object, low: float, high: float, unit: str) -> None:
    """Raise `UserError` unless `value` is a finite number of `low` to `high`."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    require(good, f"{name} must be a number of {low:g} to {high:g} {unit}, not {value!r}")
