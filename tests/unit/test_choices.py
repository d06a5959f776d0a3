"""Advice chooses from these values: all beyond the present one, the nearest first, to the end.

Where a single field cures, a choice too many or too few is seen in the sentence only by chance.
"""

import pytest

from golden.array.lines import Array
from golden.converter.dac import Dacs
from golden.converter.statics import draw_statics
from spec.advice import CurableError, halves
from spec.consistency import require_consistent
from tests.support.configs import chip
from tests.unit.test_advice import unchecked


def choices(act, *arguments) -> dict[str, list]:
    """Return what a refusal chooses from, by field."""
    with pytest.raises(CurableError) as caught:
        act(*arguments)
    *_, fields = caught.value._arguments
    return {name: list(values) for name, values in fields.items()}


def test_fields_with_which_levels_can_be_told_apart():
    config = chip(cell_bits=4, adc_bits=4, input_bits=6, dac_bits=2, accumulator_bits=20, slices=1)
    assert choices(config.require_verifiable) == {
        "adc_bits": [*range(5, 33)],
        "dac_bits": [3, 4, 5, 6],
        "cell_bits": [3, 2, 1],
        "g_min_s": halves(0.5e-6),
        "accumulator_bits": [*range(21, 33)],
    }
    config = config.replace(accumulator_bits=0)
    assert choices(config.require_verifiable)["accumulator_bits"] == []


def test_fields_with_which_results_have_fewer_bits():
    fields = {"rows": 5, "columns": 12, "adcs": 3, "cell_bits": 4, "slices": 8}
    fields |= {"input_bits": 32, "dac_bits": 30, "adc_bits": 6}
    assert choices(require_consistent, unchecked(fields)) == {
        "rows": [4, 3, 2, 1],
        "columns": [9, 6, 3],
        "cell_bits": [3, 2, 1],
        "slices": [7, 6, 5, 4, 3, 2, 1],
        "input_bits": [31, 30],
        "dac_bits": [*range(29, 0, -1)],
        "adc_bits": [5, 4, 3, 2, 1],
    }


@pytest.mark.parametrize("side", ["dac", "adc"])
def test_fields_with_which_tables_of_errors_are_smaller(side):
    fields = {"rows": 64, "columns": 64, "adcs": 64, "slices": 1, "cell_bits": 1}
    config = chip(**fields, input_bits=26, dac_bits=26, adc_bits=26)
    config = config.replace(**{f"{side}_inl": 0.5, f"{side}_gain": 0.1})
    assert choices(draw_statics, config, side) == {
        f"{side}_bits": [*range(25, 0, -1)],
        f"{side}_gain": [0.0],
        f"{side}_inl": [0.0],
    }


@pytest.mark.parametrize("bits", [18, 19])
def test_tables_of_errors_have_sixteen_million_entries(bits):
    """Tables of 64 ADCs with 2^18 codes each are the largest."""
    fields = {"rows": 1, "columns": 64, "adcs": 64, "slices": 1, "cell_bits": 1}
    config = chip(**fields, adc_bits=bits, adc_offset=1.0)
    if bits == 18:
        assert draw_statics(config, "adc").deviation.size == 1 << 24
    else:
        with pytest.raises(CurableError, match="of 33554432 entries, more than 16777216"):
            draw_statics(config, "adc")


def test_fields_with_which_dacs_err_less():
    config = chip(dac_offset=20.0, dac_noise=1.0)
    fields = choices(Dacs, config)
    assert fields == {
        "dac_offset": halves(20.0),
        "dac_gain": [],
        "dac_inl": [],
        "dac_dnl": [],
        "dac_noise": halves(1.0),
    }


def test_fields_with_which_sums_are_exact():
    fields = {"rows": 1024, "columns": 4, "cell_bits": 6, "slices": 1, "input_bits": 32}
    config = chip(**fields, dac_bits=20, adc_bits=8, nonlinearity=1.0, dac_noise=0.5)
    found = choices(Array, config)
    assert found == {
        "dac_bits": [*range(19, 0, -1)],
        "cell_bits": [5, 4, 3, 2, 1],
        "g_min_s": halves(0.5e-6),
        "nonlinearity": halves(1.0),
        **{f"dac_{name}": [] for name in ("offset", "gain", "inl", "dnl")},
        "dac_noise": halves(0.5),
    }
