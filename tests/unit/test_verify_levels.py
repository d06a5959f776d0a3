"""Cells are verified with this step, target and tolerance, in every kind of configuration."""

import itertools
from fractions import Fraction
from math import floor

import pytest

from spec.config import ChipConfig
from spec.errors import UserError
from tests.support.configs import chip


def exact(value: float) -> Fraction:
    return Fraction(str(value))


def targets(config: ChipConfig, step: int) -> list[int]:
    """Return the codes of all levels, halves up, as an ADC without ends gives them."""
    low, high = exact(config.array.g_min_s), exact(config.array.g_max_s)
    level_s = (high - low) / (config.levels - 1)
    units = [(low / level_s + level) * config.verify_code for level in range(config.levels)]
    return [floor((each + 2**step // 2) / 2**step + Fraction(1, 2 ** (step + 1))) for each in units]


def configs() -> list[ChipConfig]:
    found = []
    for cell_bits, adc_bits, input_bits, mapping, g_min_s in itertools.product(
        (1, 2, 3, 5), (2, 3, 4, 5, 6, 8), (1, 3, 6), ("differential", "offset"), (0.0, 1.1e-6)
    ):
        for dac_bits in {1, input_bits}:
            fields = {"input_bits": input_bits, "dac_bits": dac_bits, "mapping": mapping}
            fields |= {"cell_bits": cell_bits, "adc_bits": adc_bits, "g_min_s": g_min_s}
            found.append(chip(slices=1, g_max_s=35.3e-6, **fields))
    return found


@pytest.fixture(scope="module")
def every() -> list[ChipConfig]:
    return configs()


def test_single_cells_are_read_with_the_largest_code_of_either_sign(every):
    for config in every:
        low, high = config.code_range
        assert abs(config.verify_code) == max(-low, high)
        assert config.verify_code == (high if high >= -low else low)


def test_the_step_is_the_finest_that_sees_beyond_the_tolerance_of_every_level(every):
    """Beyond: one code more than the tolerance; the coarsest step where none does."""
    seen = set()
    for config in every:
        most = 2 ** (config.converter.adc_bits - 1) - 1

        def sees(step: int, config: ChipConfig = config, most: int = most) -> bool:
            tolerance = abs(config.verify_code) // 4 // 2**step
            return abs(targets(config, step)[-1]) + tolerance + 1 <= most

        steps = range(config.step_range[1] + 1)
        wanted = next((step for step in steps if sees(step)), steps[-1])
        assert config.verify_step == wanted
        assert config.verify_tolerance == abs(config.verify_code) // 4 // 2**wanted
        seen.add((wanted, config.verify_tolerance))
    assert {step for step, _ in seen} >= {0, 1, 2, 3}
    assert {tolerance for _, tolerance in seen} >= {0, 1, 2}


def test_targets_are_the_codes_of_the_levels_cut_at_the_ends(every):
    for config in every:
        end = 2 ** (config.converter.adc_bits - 1)
        wanted = targets(config, config.verify_step)
        assert config.verify_targets == tuple(min(max(t, -end), end - 1) for t in wanted)
        apart = len(set(wanted)) == config.levels
        assert config.verifiable == (apart and all(-end <= t < end for t in wanted))
        if not config.verifiable:
            with pytest.raises(UserError, match=f"cannot tell the {config.levels} levels"):
                config.require_verifiable()
    assert {config.verifiable for config in every} == {False, True}
