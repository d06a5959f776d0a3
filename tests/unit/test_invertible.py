"""Chips whose tiles can be closed to loops: which there are."""

import re

import pytest

from spec.errors import UserError
from tests.support.configs import chip

FLAGS = ["invertible"]


@pytest.mark.parametrize("name", FLAGS)
def test_flags_are_refused_with_name_and_value(name):
    for value in (0, 1, "true", None, 1.0, [True]):
        with pytest.raises(UserError) as caught:
            chip(**{name: value})
        assert str(caught.value) == f"{name} must be true or false, not {value!r}"


@pytest.mark.parametrize(
    "fields, message",
    [
        (
            {"invertible": True, "rows": 8, "columns": 4},
            "an inversion needs as many rows as columns, not 8 and 4: make them equal",
        ),
        (
            {"invertible": True, "rows": 4, "columns": 4, "mapping": "offset"},
            "an inversion needs the differential mapping, not 'offset': set mapping",
        ),
        (
            {"invertible": True, "rows": 4, "columns": 4, "conversion_s": 5e-8},
            "needs ADCs that the periphery searches, but conversion_s is 5e-08 s: set it to 0",
        ),
        (
            {"invertible": True, "rows": 4, "columns": 4, "inv_bound_s": 0.1},
            "inv_bound_s of 0.1 s is more than a million cycles of clock_hz 1e[+]08 Hz: lower",
        ),
    ],
)
def test_chips_that_cannot_have_loops_are_refused(fields, message):
    with pytest.raises(UserError) as caught:
        chip(**fields)
    assert re.search(message, str(caught.value))
