"""Systems of equations on the RTL, in lockstep with the model."""

from typing import Any

import numpy as np
import pytest

from ohmulator.host.tb_chip import ChipJob
from ohmulator.jobs.solve_rtl import chip_config
from sim.runner import Build
from spec.config import ChipConfig
from spec.isa import ErrorCode
from spec.load import load
from tests.support import chip_sessions, loop_sessions
from tests.support.machines import LOOPS
from tests.support.share import share
from tests.support.systems import definite, skewed

SMALL = LOOPS.replace(rows=6, columns=6, adcs=3, vector_words=512, pulse_limit=40)


def run(config: ChipConfig, session: Any, argument: Any = None) -> Any:
    job = ChipJob(config, session, argument)
    return Build(config, "chip_traced", "verilator").run("ohmulator.host.tb_chip", job)


def test_systems_are_solved_as_the_model_does():
    errors, counters = run(SMALL, loop_sessions.systems, [1, 2, 3])
    assert np.median(errors) < 0.05
    assert counters["tile1.settles"] == 9
    assert counters["tile1.loop_cycles"] == counters["expected"]


def test_a_loop_that_does_not_settle_ends_the_program():
    assert run(SMALL, loop_sessions.unsettled) is ErrorCode.UNSETTLED


@pytest.mark.space
def test_random_programs():
    report, total = run(LOOPS, chip_sessions.random_programs, share(60))
    assert report == ""
    assert total >= share(600)


FAULTS = {
    "dac_gain": 0.01,
    "dac_inl": 0.3,
    "dac_noise": 0.2,
    "adc_gain": 0.01,
    "adc_offset": 0.5,
    "adc_dnl": 0.5,
    "read_noise": 0.01,
    "amplifier_offset_v": 1e-4,
    "amplifier_noise_v": 1e-4,
    "r_word_ohm": 1.0,
    "relaxation": 0.2,
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(FAULTS, id="faults"),
        pytest.param(
            {"comparator_sync": 2, "settled_sync": 3, "comparison_cycles": 2}, id="asynchronous"
        ),
        pytest.param({"inv_timer_s": 60e-9, "inv_dac_bits": 4, "inv_adc_bits": 5}, id="timer"),
        pytest.param({"adcs": 1, "inv_adc_bits": 12, "lanes": 2, "saturation_v": 0.05}, id="limit"),
    ],
)
@pytest.mark.slow
def test_systems_are_solved_as_the_model_does_whatever_the_chip(changes):
    errors, counters = run(SMALL.replace(**changes), loop_sessions.systems, [1, 2, 3])
    assert counters["tile1.settles"] == len(errors) == 9
    assert counters["tile1.loop_cycles"] == counters["expected"]


PRECISE = load("solver", adcs=4, inv_dac_bits=4, inv_adc_bits=4, lanes=8, pulse_limit=60)


@pytest.mark.slow
def test_ten_iterations_reach_24_bits_word_for_word_as_the_model_does():
    """Three definite matrices and three that are not symmetric, on 3-bit cells off by 0.1 level."""
    matrices = [definite(16, 3, seed) for seed in range(3)]
    matrices += [skewed(16, 3, seed) for seed in range(3)]
    config = chip_config(PRECISE, 10)
    errors, counters = run(config, loop_sessions.refinements, (matrices, 10, False))
    assert np.median(errors[:3]) <= 1.5e-7
    # Two of these converge more slowly than most do.
    assert max(errors[3:]) <= 1e-4
    for each in counters:
        assert (each["tile0.settles"], each["saturations"], each["reprograms"]) == (10, 0, 0)
        # A product is a plane for each digit of a code, converted by all ADCs of all slices.
        assert each["tile1.drives"] == 10 * config.planes


@pytest.mark.slow
def test_cells_that_were_programmed_by_pulses_solve_as_well():
    config = chip_config(PRECISE.replace(rows=8, columns=8), 12)
    (error,), (counters,) = run(config, loop_sessions.refinements, ([skewed(8, 3, 1)], 12, True))
    assert error <= 1e-6
    assert (counters["reprograms"], counters["tile0.failures"]) == (1, 0)
    assert counters["tile0.pulses"] > 100 and counters["tile1.pulses"] == 0
