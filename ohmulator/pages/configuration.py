"""Fields of a configuration: table by table, with units, defaults and ranges.

Ranges are those that the tables check, recorded while they check a few configurations. A bound
that is not the same for all of them depends on other fields, and is given as such.
"""

import dataclasses
import enum
import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from ohmulator.pages.markdown import table
from spec.config import ChipConfig
from spec.errors import digits
from spec.load import load, presets
from spec.table import Table

DEPENDENT = {
    "slices": ("1", "32 // `cell_bits`"),
    "dac_bits": ("1", "`input_bits`"),
    "adcs": ("1", "`columns`"),
    "g_min_s": ("0", "`g_max_s`"),
    "pulse_first": ("0", "2^`pulse_bits` - 1"),
    "pulse_increment": ("0", "2^`pulse_bits` - 1"),
    "vector_words": ("`lanes`", "2^16"),
}
"""Bounds of the fields whose range depends on other fields."""


class Range(NamedTuple):
    """Lowest and highest value of a field, and the unit that refusals name."""

    low: float
    high: float
    unit: str


@contextmanager
def recorded_ranges() -> Iterator[dict[str, Range]]:
    """Record the ranges that tables check."""
    ranges: dict[str, Range] = {}

    def recorder(check: Any) -> Any:
        def record(self: Table, name: str, low: float, high: float, unit: str = "") -> None:
            ranges[name] = Range(low, high, unit)
            check(self, name, low, high, unit)

        return record

    with (
        mock.patch.object(Table, "_integer", recorder(Table._integer)),
        mock.patch.object(Table, "_number", recorder(Table._number)),
    ):
        yield ranges


def field_ranges() -> dict[str, str]:
    """Return range and unit of each field that is a number, by its name."""
    found: dict[str, set[Range]] = {}
    for changes in ({}, {"cell_bits": 1, "pulse_bits": 6, "lanes": 8, "g_max_s": 36e-6}):
        for preset in presets():
            with recorded_ranges() as ranges:
                load(preset, slices=8, **changes)
            for name, one in ranges.items():
                found.setdefault(name, set()).add(one)
    texts = {}
    for name, several in found.items():
        low, high, unit = next(iter(several))
        depends = len(several) > 1
        assert depends == (name in DEPENDENT), f"the range of {name} depends on other fields"
        bounds = DEPENDENT[name] if depends else (_number(low), _number(high))
        texts[name] = f"{bounds[0]} to {bounds[1]} {unit.split(' (')[0]}".strip()
    return texts


def described(kind: type) -> dict[tuple[str, ...], str]:
    """Return what the section Parameters of a docstring says of fields, several at a time."""
    section = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")[2]
    section = re.split(r"\n\n\w+\n-+\n", section)[0]
    entries = re.findall(r"^(\S.*)\n((?:    .*(?:\n|$))+)", section, flags=re.MULTILINE)
    return {
        tuple(names.split(", ")): " ".join(line.strip() for line in text.splitlines())
        for names, text in entries
    }


def document() -> str:
    """Return the page."""
    return "\n\n".join(_sections(ChipConfig, "", field_ranges())) + "\n"


def _sections(kind: type[Table], path: str, ranges: dict[str, str]) -> list[str]:
    """Return a heading and a table of fields for a table, and those of the tables inside."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    parts, rows = [], []
    for names, text in described(kind).items():
        own = [fields[name] for name in names if name not in kind.TABLES]
        if own:
            rows.append(
                [
                    "<br>".join(f"`{field.name}`" for field in own),
                    _once(_default(field) for field in own),
                    _once(_range(field, ranges) for field in own),
                    text,
                ]
            )
    if rows:
        parts = [f"## `[{path}]`", table(["field", "default", "range", "meaning"], rows)]
    for name, inside in kind.TABLES.items():
        parts += _sections(inside, f"{path}.{name}" if path else name, ranges)
    return parts


def _once(texts: Iterable[str]) -> str:
    """Return texts line by line, or a single one if all are the same."""
    several = list(texts)
    return several[0] if len(set(several)) == 1 else "<br>".join(several)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "required"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`" if isinstance(field.default, str) else _number(field.default)


def _range(field: dataclasses.Field[Any], ranges: dict[str, str]) -> str:
    if isinstance(field.default, bool):
        return "`true`, `false`"
    if field.name in ranges:
        return ranges[field.name]
    assert isinstance(field.default, enum.Enum)
    return ", ".join(f"`{choice}`" for choice in type(field.default))


def _number(value: float) -> str:
    """Return a number in few characters: large ones as powers of two."""
    for less, sign in ((0, ""), (1, " - 1")):
        power = int(value) + less
        if value == int(value) >= 1 << 16 and power & (power - 1) == 0:
            return f"2^{power.bit_length() - 1}{sign}"
    return digits(value)
