"""The RTL in front of an array with every fault gives the results of the model, bit for bit."""

import numpy as np
import pytest

from golden.tile.analog import Analog
from sim.job import TileJob
from sim.runner import Build
from spec.config import ChipConfig
from spec.physics import Physics

EVERYTHING = Physics.of(
    seed=4,
    r_word_ohm=5.0,
    r_bit_ohm=5.0,
    r_driver_ohm=20.0,
    r_sense_ohm=20.0,
    program_error=0.1,
    read_noise=0.02,
    drift=0.01,
    stuck_any=0.01,
    dac_offset=0.1,
    dac_gain=0.01,
    dac_inl=0.1,
    dac_dnl=0.1,
    dac_noise=0.1,
    adc_offset=1.0,
    adc_gain=0.02,
    adc_inl=1.5,
    adc_dnl=3.0,
    sense_noise=2.0,
)


@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_rtl_equals_model_with_every_fault(mapping):
    config = ChipConfig.of(
        rows=12,
        columns=6,
        cell_bits=3,
        slices=2,
        input_bits=6,
        dac_bits=3,
        adc_bits=6,
        adcs=2,
        mapping=mapping,
        physics=EVERYTHING,
    )
    rng = np.random.default_rng(0)
    weights = rng.integers(*config.weight_range, (12, 6), endpoint=True)
    jobs = []
    for factor in (weights, weights.T)[: len(config.directions)]:
        vectors = rng.integers(*config.input_range, (40, len(factor)), endpoint=True)
        steps = rng.integers(1, 4, (40, config.steps))
        analog = Analog.programmed(config, weights)
        transposed = factor is not weights
        pace = {"idle": (0, 2), "stall": (0, 1, 5)}
        jobs.append((TileJob(analog, vectors, steps, transposed, **pace), vectors @ factor))
    outcomes = Build(config, "tile", "icarus").run(
        "tests.support.tb_jobs", [job for job, _ in jobs]
    )
    for outcome, (_, exact) in zip(outcomes, jobs, strict=True):
        assert outcome.mismatch == ""
        np.testing.assert_array_equal(outcome.results, outcome.expected)
        assert (outcome.results != exact).mean() > 0.9
