"""The page of the configuration: every field, and ranges that are those of the checks."""

import re

import numpy as np
import pytest

from ohmulator.pages import configuration
from spec.config import ChipConfig
from spec.errors import UserError
from spec.load import load

BASE = load("rough", slices=1, rows=8, columns=8, adcs=2)


def bound(text):
    """Return a bound of the page as a number, for the configuration `BASE`."""
    text = re.sub(r"`(\w+)`", lambda match: str(BASE.value(match[1])), text)
    return eval(text.replace("^", "**"))


def ranges():
    """Return lowest and highest value of each field that is a number, as on the page."""
    found = {}
    for name, text in configuration.field_ranges().items():
        low, _, high = text.partition(" to ")
        high = re.match(r"\S+( // \S+| - 1)?", high)[0]
        found[name] = bound(low), bound(high)
    return found


def test_every_field_is_there_once():
    page = configuration.document()
    for name, path in ChipConfig.field_paths():
        section = page.partition(f"## `[{path}]`\n")[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if f"`{name}`" in line.split(" | ")[0]]
        assert len(rows) == 1, name
        assert rows[0].rpartition(" | ")[2].rstrip("| "), name


@pytest.mark.parametrize("name, ends", ranges().items(), ids=lambda value: str(value))
def test_values_outside_of_the_range_are_refused_by_name(name, ends):
    whole = isinstance(BASE.value(name), int)
    for end, beyond in zip(ends, (-1, 1), strict=True):
        outside = end + beyond if whole else float(np.nextafter(end, beyond * np.inf))
        with pytest.raises(UserError, match=rf"{name} must be"):
            BASE.replace(**{name: outside})


@pytest.mark.parametrize("name, ends", ranges().items(), ids=lambda value: str(value))
def test_ends_of_the_range_are_not_refused_for_it(name, ends):
    for end in ends:
        value = int(end) if isinstance(BASE.value(name), int) else end
        try:
            BASE.replace(**{name: value})
        except UserError as refusal:
            assert not re.match(rf"{name} must be an? (integer|number) of ", str(refusal))


def test_a_new_field_without_bounds_of_its_own_is_noticed(monkeypatch):
    monkeypatch.delitem(configuration.DEPENDENT, "dac_bits")
    with pytest.raises(AssertionError, match="the range of dac_bits depends on other fields"):
        configuration.field_ranges()


def test_numbers_are_short():
    shown = [configuration._number(value) for value in (0, 0.2, 65536, (1 << 63) - 1, 1e9, 35e-6)]
    assert shown == ["0", "0.2", "2^16", "2^63 - 1", "1e+09", "3.5e-05"]
