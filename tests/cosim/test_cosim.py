"""Generated Verilog in simulators, the model's physics behind it, against integers and model."""

import itertools

import numpy as np
import pytest

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from sim.job import TileJob
from sim.runner import Build
from tests.support.configs import (
    chip,
    extreme_operands,
    extreme_vectors,
    full_width,
    integer_tile,
    random_operands,
)
from tests.support.rtl import simulate
from tests.support.share import first
from tests.support.tools import needs_icarus

PATTERNS = [(0,), (2,), (0, 1, 5)]
"""Idle cycles before each vector, or stall cycles before each result is taken."""

# Between them: the required shapes, shapes that are no powers of two, cell bits of 1 to 3, DAC bits
# from 1 to all, one, several and all ADCs, both mappings, and results wider than 54 bits.
SHAPES = {
    "64x64": {"rows": 64, "columns": 64, "cell_bits": 3, "input_bits": 6, "dac_bits": 3, "adcs": 1},
    "128x128": {
        "rows": 128,
        "columns": 128,
        "cell_bits": 2,
        "mapping": "offset",
        "dac_bits": 1,
        "adcs": 4,
    },
    "48x10": {
        "rows": 48,
        "columns": 10,
        "cell_bits": 1,
        "slices": 5,
        "input_bits": 5,
        "dac_bits": 5,
        "adcs": 10,
    },
    "8x8": {
        "rows": 8,
        "columns": 8,
        "cell_bits": 3,
        "slices": 8,
        "input_bits": 28,
        "dac_bits": 4,
        "adcs": 8,
        "settle_s": 300e-9,
    },
    "5x6": {
        "rows": 5,
        "columns": 6,
        "mapping": "offset",
        "input_bits": 5,
        "adcs": 3,
        "settle_s": 0.0,
    },
    "6x4, answers late and synchronised": {
        "rows": 6,
        "adcs": 2,
        "settled_sync": 2,
        "comparator_sync": 3,
        "comparison_cycles": 2,
    },
    "3x8, a conversion a cycle": {"columns": 8, "conversion_s": 1e-9, "mapping": "offset"},
    "3x4, conversions of three cycles": {"conversion_s": 30e-9, "settled_sync": 4},
}


def job(config, weights, vectors, steps=None, *, transposed=False, **conditions):
    if steps is None:
        steps = [config.direction(transposed).covering_step] * config.steps
    analog = Analog.ideal(config, weights)
    return TileJob(analog, vectors, np.array(steps), transposed=transposed, **conditions)


def paced_jobs(config, steps=None, *, transposed=False):
    """Return random products at every pair of paces, and with a reset at several times."""
    way = config.direction(transposed)
    weights, vectors = random_operands(config, 3, transposed=transposed)
    alone = (way.latency_cycles + 5,)
    conditions = [{"idle": alone}]
    conditions += [
        {"idle": idle, "stall": stall} for idle, stall in itertools.product(PATTERNS, PATTERNS)
    ]
    busy = way.latency_cycles + config.planes * way.plane_cycles
    conditions += [{"reset_after": 1 + busy * i // 5} for i in range(5)]
    return [
        job(config, weights, vectors, steps, transposed=transposed, **options)
        for options in conditions
    ]


def check(config, jobs, simulator):
    """Run jobs and compare every word and every count with the model; return the outcomes."""
    module = "sim.harness.tile" if simulator == "harness" else "tests.support.tb_jobs"
    outcomes = Build(config, "tile", simulator).run(module, jobs)
    for done, outcome in zip(jobs, outcomes, strict=True):
        way = config.direction(done.transposed)
        tile = Tile(config, done.analog)
        model = tile.multiply(done.vectors, done.steps, transposed=done.transposed)
        np.testing.assert_array_equal(outcome.results, model.results)
        assert outcome.mismatch == ""
        counted = outcome.counters
        assert counted["clips_high"] == model.clips_high.sum()
        assert counted["clips_low"] == model.clips_low.sum()
        assert counted["saturations"] == model.saturations.sum()
        assert counted["drives"] == len(done.vectors) * config.planes
        if done.idle[0] > way.latency_cycles:
            assert outcome.latencies.tolist() == [way.latency_cycles] * len(done.vectors)
    return outcomes


@pytest.mark.parametrize("shape", first(reversed(SHAPES), len(SHAPES) - 2))
def test_lossless_products_are_exact(shape):
    config = full_width(**SHAPES[shape])
    exact = [random_operands(config, 12)]
    exact += [(weights, vectors) for _, weights, vectors in extreme_operands(config)]
    jobs = [job(config, *operands) for operands in exact] + paced_jobs(config)
    if config.transposable:
        back = random_operands(config, 12, transposed=True)
        jobs += [job(config, *back, transposed=True), *paced_jobs(config, transposed=True)]
    outcomes = check(config, jobs, "verilator")
    for (weights, vectors), outcome in zip(exact, outcomes, strict=False):
        np.testing.assert_array_equal(outcome.results, vectors @ weights)
        assert not any(outcome.counters[n] for n in ("clips_high", "clips_low", "saturations"))
    if config.transposable:
        weights, vectors = back
        done = next(each for each, did in zip(outcomes, jobs, strict=True) if did.transposed)
        np.testing.assert_array_equal(done.results, vectors @ weights.T)
    conversion = config.forward.groups * config.conversion_cycles
    if config.forward.plane_cycles == conversion:
        fill = config.forward.latency_cycles / config.forward.plane_cycles
        busy = outcomes[0].counters["adc_cycles"]
        assert busy == 12 * config.planes * conversion
        # Without the cycles to fill and to drain the pipeline, the ADCs never rest.
        assert busy / (outcomes[0].counters["cycles"] - fill * config.forward.plane_cycles) > 0.95


LOSSY = {
    "few bits": {"rows": 64, "columns": 64, "cell_bits": 3, "adc_bits": 5, "adcs": 4},
    "one bit": {
        "rows": 7,
        "columns": 5,
        "cell_bits": 3,
        "dac_bits": 4,
        "adc_bits": 1,
        "adcs": 5,
        "mapping": "offset",
        "accumulator_bits": 6,
    },
}


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_products_are_rounded_and_clipped_as_integers_predict(name):
    config = chip(**LOSSY[name])
    weights, vectors = random_operands(config, 5)
    vectors = np.concatenate([vectors, extreme_vectors(config)])
    # Every sum fits; most do not.
    cases = [[config.forward.covering_step] * config.steps, [1] * config.steps]
    jobs = [job(config, weights, vectors, steps) for steps in cases]
    outcomes = check(config, jobs + paced_jobs(config, cases[1]), "verilator")
    for steps, outcome in zip(cases, outcomes, strict=False):
        expected = integer_tile(config, weights, vectors, steps)
        assert outcome.results.tolist() == expected.results
        for count in ("clips_high", "clips_low", "saturations"):
            assert outcome.counters[count] == getattr(expected, count)
        assert (outcome.results != vectors @ weights).any()
    assert outcomes[0].counters["clips_high"] == outcomes[0].counters["clips_low"] == 0
    assert outcomes[1].counters["clips_high"] > 0 < outcomes[1].counters["clips_low"]
    assert (outcomes[1].counters["saturations"] > 0) == (config.converter.accumulator_bits > 0)


@needs_icarus
@pytest.mark.parametrize(
    "fields",
    [
        {"adcs": 1, "adc_bits": 4},
        {"mapping": "offset", "columns": 3, "adcs": 3, "adc_bits": 1, "dac_bits": 1},
        {"input_bits": 4, "dac_bits": 4, "adc_bits": 3, "accumulator_bits": 6, "slices": 1},
    ],
)
def test_icarus_equals_the_model_and_no_output_is_x(fields):
    config = chip(**fields)
    weights, vectors = random_operands(config, 6)
    jobs = [job(config, weights, vectors, [step] * config.steps) for step in (0, 1)]
    check(config, jobs + paced_jobs(config), "icarus")


@needs_icarus
def test_three_simulators_agree():
    """Words, counters and latencies are the same in all three."""
    config = full_width(**SHAPES["5x6"])
    weights, vectors = random_operands(config, 9)
    steps = np.zeros(config.steps, np.int64)
    paces = {"idle": (0, 3, 40), "stall": (0, 0, 2, 9)}
    runs = [
        check(config, [job(config, weights, vectors, steps, **paces)], simulator)[0]
        for simulator in ("verilator", "icarus")
    ]
    third = simulate(config, weights, vectors, steps, **paces)
    latencies = np.subtract(third.offered, third.started)
    for run in runs:
        np.testing.assert_array_equal(run.results, third.results)
        np.testing.assert_array_equal(run.latencies, latencies)
        # When the clock stops depends on the testbench.
        del run.counters["cycles"]
        assert run.counters.items() <= third.counters.items()
    assert runs[0].counters == runs[1].counters


def test_noise_meets_the_rtl_as_it_meets_the_model():
    """Draw by draw, and with the Verilog of the ideal chip: none depends on physics."""
    config = full_width(**SHAPES["5x6"])
    real = config.replace(
        physics=config.physics.replace(seed=5, read_noise=0.05, sense_noise=0.7),
    )
    weights, vectors = random_operands(config, 20)
    noisy = TileJob(Analog.programmed(real, weights), vectors, np.zeros(config.steps, np.int64))
    (outcome,) = Build(config, "tile", "verilator").run("tests.support.tb_jobs", [noisy])
    assert outcome.mismatch == ""
    np.testing.assert_array_equal(outcome.results, outcome.expected)
    assert (outcome.results != vectors @ weights).any()
