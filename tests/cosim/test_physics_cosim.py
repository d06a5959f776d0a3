"""The RTL in front of an array with every fault gives the results of the model, bit for bit."""

import numpy as np
import pytest

from golden.tile.analog import Analog
from sim.job import TileJob
from sim.runner import Build
from tests.support.configs import EVERY_FAULT, THREE_BITS


@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_rtl_equals_model_with_every_fault(mapping):
    faulty = THREE_BITS.replace(mapping=mapping, physics=EVERY_FAULT)
    config = faulty.replace(rows=12, columns=6, adc_bits=6)
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
