"""Factors of currents and of noise: as fine as sums without rounding allow, and no finer."""

import math
from fractions import Fraction

import numpy as np
import pytest

from golden.array.rounding import Rounding, bent, rounded
from golden.converter.dac import Dacs
from spec.config import ChipConfig
from spec.errors import UserError
from spec.physics import LARGEST
from tests.support.configs import chip

CONFIGS = {
    "whole codes": {"read_noise": 0.1},
    "a power of two of everything": {"rows": 8, "columns": 4, "dac_bits": 4, "g_min_s": 0.0},
    "more columns than rows": {"rows": 2, "columns": 9, "adcs": 3, "program_error": 0.1},
    "one bit line a column": {"mapping": "offset", "rows": 5, "read_noise": 1.0},
    "errors of DACs": {"dac_gain": 0.1, "dac_offset": 2.0, "dac_noise": 0.1, "cell_bits": 3},
    "curves": {"nonlinearity": 2.0, "rows": 17, "input_bits": 5, "dac_bits": 5},
    "one cell": {"rows": 1, "columns": 1, "adcs": 1, "dac_bits": 1, "input_bits": 1},
}


def largest(config: ChipConfig) -> tuple[Fraction, Fraction]:
    """Return the largest drive in DAC codes, and the largest cell in levels."""
    dacs = Dacs(config)
    drive = float(bent(config, dacs, np.array(dacs.largest)))
    return Fraction(drive), Fraction(LARGEST * config.array.g_max_s / config.g_step_s)


@pytest.mark.parametrize("name", CONFIGS)
def test_sums_take_all_bits_of_a_float_and_not_one_more(name):
    config = chip(**CONFIGS[name])
    dacs = Dacs(config)
    bits = Rounding.of(config, dacs)
    drive, cell = largest(config)
    whole = dacs.ideal and not config.physics.cells.nonlinearity
    steps = config.drive_lines * drive * cell * 2 ** (bits.cell + (0 if whole else 12))
    assert 2**52 < steps <= 2**53
    # Of squares, those of both cells of a column are added up in a transposed product.
    squares = cell**2 * (2 if config.transposable else 1)
    share = drive**2 * Fraction(2) ** bits.square
    assert 2**17 < share <= 2**18
    assert 2**52 < config.drive_lines * share * squares * Fraction(2) ** bits.cell_square <= 2**53


@pytest.mark.parametrize("bits", [-3, 0, 5])
def test_values_are_rounded_to_the_nearest(bits):
    values = np.random.default_rng(0).uniform(-100, 100, 200)
    step = 2.0**-bits
    got = rounded(values, bits)
    assert (got / step == np.rint(got / step)).all()
    assert (abs(got - values) <= step / 2).all()


def test_drive_of_curved_cells_is_rounded_to_a_part_of_a_code():
    config = chip(nonlinearity=2.0)
    got = bent(config, Dacs(config), np.array([0.0, 1.0, 3.0])) * 2**12
    top_v = config.converter.v_read_v
    exact = [
        math.sinh(2 * top_v * code / 3) / math.sinh(2 * top_v) * 3 * 2**12 for code in (0, 1, 3)
    ]
    assert got.tolist() == [round(x) for x in exact]


def test_drive_of_linear_cells_and_ideal_dacs_is_left_as_it_is():
    config = chip(read_noise=0.1)
    drive = np.array([0.3, 2.0])
    assert bent(config, Dacs(config), drive) is drive


def test_cells_that_cannot_be_fine_enough_are_refused_only_where_physics_needs_it():
    """All is well at 12 bits below a level, and at 11 not."""
    fields = {"rows": 512, "columns": 1, "adcs": 1, "slices": 1, "adc_bits": 31}
    fields |= {"cell_bits": 6, "g_min_s": 0.0}
    spare = []
    for bits in range(20, 30):
        config = chip(**fields, input_bits=bits, dac_bits=bits)
        spare.append(Rounding.of(config, Dacs(config)).cell)
        noisy = config.replace(read_noise=0.1)
        if spare[-1] >= 12:
            assert Rounding.of(noisy, Dacs(noisy)).cell == spare[-1]
        else:
            with pytest.raises(UserError, match=f"leave {spare[-1]} bits below a level"):
                Rounding.of(noisy, Dacs(noisy))
    assert {11, 12} <= {*spare}
