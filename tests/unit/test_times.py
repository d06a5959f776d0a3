"""Fields that say how long answers of the array take, and how they enter."""

import pytest

from spec.errors import UserError
from spec.load import load
from tests.support.configs import chip


@pytest.mark.parametrize(
    "fields, message",
    [
        (
            {"conversion_s": 0.02},
            "conversion_s of 0.02 s is more than a million cycles of clock_hz",
        ),
        ({"settled_sync": 1}, "settled_sync must be 0 or 2 to 8, not 1: one flip-flop does not"),
        ({"comparator_sync": 1}, "comparator_sync must be 0 or 2 to 8, not 1: one flip-flop does"),
        (
            {"conversion_s": 1e-9, "comparator_sync": 2},
            "comparator_sync must be 0 where conversion_s is not 0, not 2: an ADC that searches",
        ),
        (
            {"conversion_s": 1e-9, "comparison_cycles": 3},
            "comparison_cycles must be 1 where conversion_s is not 0, not 3: an ADC that searches",
        ),
    ],
)
def test_times_that_cannot_be_are_refused(fields, message):
    with pytest.raises(UserError) as caught:
        chip(**fields)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "fields, cycles",
    [
        ({"adc_bits": 6}, 6),
        ({"adc_bits": 6, "comparison_cycles": 3}, 18),
        ({"adc_bits": 6, "comparison_cycles": 2, "comparator_sync": 3}, 30),
        ({"conversion_s": 1e-12}, 1),
        ({"conversion_s": 10e-9}, 1),
        ({"conversion_s": 10.1e-9}, 2),
    ],
)
def test_cycles_of_a_conversion(fields, cycles):
    assert chip(**fields).conversion_cycles == cycles


def test_isaac_converts_128_columns_in_its_published_time():
    config = load("isaac")
    seconds = config.forward.plane_cycles / config.machine.clock_hz
    assert seconds == pytest.approx(107e-9, rel=0.01)
