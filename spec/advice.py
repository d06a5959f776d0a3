"""Advice that cures: which fields of a refused configuration to change, and how far.

The search makes many configurations, most of which are refused as well. It runs when the advice is
read, so that their refusals, which nobody reads, cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spec.errors import UserError, digits

if TYPE_CHECKING:
    from spec.config import ChipConfig

Choices = Mapping[str, Iterable[Any]]
"""Values that a field may take instead of its present one, the nearest first."""


class CurableError(UserError):
    """A refusal with advice, which is looked for when it is read.

    Parameters
    ----------
    message
        What is refused, and why.
    config, good, choices
        As `cures` takes them.
    """

    def __init__(
        self,
        message: str,
        config: ChipConfig,
        good: Callable[[ChipConfig], bool],
        choices: Choices,
    ):
        super().__init__(message)
        self._arguments = config, good, choices

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.advice}"

    @cached_property
    def advice(self) -> str:
        """Changes that cure it."""
        return cures(*self._arguments)


def cures(config: ChipConfig, good: Callable[[ChipConfig], bool], choices: Choices) -> str:
    """Name the fields of which one, changed alone, makes a configuration good, and how far.

    Where no single one does, name several that do together, and no more than it takes; where none
    do, say so. Followed to the letter, the advice gives a configuration that can be made.

    Parameters
    ----------
    config
        What is refused; its tables are valid each by itself.
    good
        Tells whether a configuration that can be made is not refused any more; a `UserError` of
        it says no.
    choices
        Fields that may be changed.
    """
    fields = {name: list(values) for name, values in choices.items()}
    singles: list[dict[str, Any]] = []
    for name, values in fields.items():
        found = next((value for value in values if _cured(config, good, {name: value})), None)
        if found is not None:
            singles.append({name: found})
    if singles:
        return _advise(config, singles, " or ")
    together = _together(config, good, fields)
    if not together:
        return f"no change of {', '.join(name for name in fields if fields[name])} alone cures it"
    return _advise(config, [{name: value} for name, value in together.items()], " and ")


def lower(value: int, floor: int) -> range:
    """Return the integers below a value, down to the lowest that it may be."""
    return range(value - 1, floor - 1, -1)


def halves(value: float) -> list[float]:
    """Return ever smaller parts of a positive number, and at last 0."""
    return [*(value / (1 << n) for n in range(1, 11)), 0.0] if value > 0 else []


def _together(
    config: ChipConfig, good: Callable[[ChipConfig], bool], fields: dict[str, list[Any]]
) -> dict[str, Any]:
    """Return values of several fields that cure together, or nothing."""
    changes: dict[str, Any] = {}
    for place in range(max(map(len, fields.values()), default=0)):
        for name, values in fields.items():
            changes[name] = values[min(place, len(values) - 1)] if values else config.value(name)
        if _cured(config, good, changes):
            break
    else:
        return {}
    # Those that are not needed stay as they are.
    for name in fields:
        fewer = {other: value for other, value in changes.items() if other != name}
        if _cured(config, good, fewer):
            changes = fewer
    return changes


def _cured(config: ChipConfig, good: Callable[[ChipConfig], bool], changes: dict[str, Any]) -> bool:
    try:
        return good(config.replace(**changes))
    except UserError:
        return False


def _advise(config: ChipConfig, changes: list[dict[str, Any]], join: str) -> str:
    """Return changes as a sentence: lower a to 1 or b to 2 or raise c to 3."""
    parts, before = [], ""
    for change in changes:
        for name, value in change.items():
            verb = "lower" if value < config.value(name) else "raise"
            shown = value if isinstance(value, int) else digits(value)
            parts.append(f"{'' if verb == before else f'{verb} '}{name} to {shown}")
            before = verb
    return join.join(parts)
