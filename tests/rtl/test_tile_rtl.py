"""The whole tile in Amaranth's simulator, its array answered by the model's physics."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from hw.machine.tile_bank import TILE_VECTORS
from hw.tile.tile import Tile as HardwareTile
from spec.physics import Physics
from tests.support.amaranth_bench import Bench, answer_analog
from tests.support.configs import (
    chip,
    chips,
    extreme_vectors,
    full_width,
    integer_tile,
    random_operands,
)
from tests.support.rtl import simulate
from tests.support.share import share

PATTERNS = [(0,), (3,), (0, 1, 7)]
"""Idle cycles before each vector, or stall cycles before each result is taken."""


def check(config, weights, vectors, steps=None, transposed=False, **conditions):
    """Compare every word and every counter that does not speak of time with the model."""
    tile = Tile(config, Analog.programmed(config, weights))
    model = tile.multiply(vectors, steps, transposed=transposed)
    conditions["analog"] = Analog.programmed(config, weights)
    run = simulate(config, weights, vectors, steps, transposed=transposed, **conditions)
    np.testing.assert_array_equal(run.results, model.results)
    planes = len(vectors) * config.planes
    expected = {
        "drives": planes,
        "conversions": planes * config.direction(transposed).groups * config.converters,
        "clips_high": model.clips_high.sum(),
        "clips_low": model.clips_low.sum(),
        "saturations": model.saturations.sum(),
    }
    assert {name: run.counters[name] for name in expected} == expected
    return run


@pytest.mark.space
@settings(max_examples=share(60))
@given(chips(), st.data())
def test_any_tile_is_its_model(config, data):
    transposed = config.transposable and data.draw(st.booleans())
    seed = data.draw(st.integers(0, 2**32))
    weights, vectors = random_operands(config, 3, seed, transposed=transposed)
    steps = data.draw(
        st.lists(st.integers(*config.step_range), min_size=config.steps, max_size=config.steps)
    )
    idle, stall = data.draw(st.sampled_from(PATTERNS)), data.draw(st.sampled_from(PATTERNS))
    check(config, weights, vectors, steps, transposed, idle=idle, stall=stall)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rows, columns, adcs", [(1, 4, 4), (5, 8, 4), (7, 6, 3), (9, 4, 2)])
def test_adc_inputs_without_an_output_are_not_counted(rows, columns, adcs, transposed):
    """Noise and errors on them, even beyond their range, count nowhere."""
    config = chip(
        rows=rows,
        columns=columns,
        adcs=adcs,
        adc_bits=2,
        accumulator_bits=3,
        physics=Physics.of(seed=1, sense_noise=1.5, adc_offset=0.9),
    )
    weights, vectors = random_operands(config, 8, transposed=transposed)
    run = check(config, weights, vectors, [0, 1], transposed)
    assert run.counters["clips_high"] > 0 and run.counters["saturations"] > 0


@pytest.mark.space
@settings(max_examples=share(30))
@given(chips(lossless=True), st.integers(0, 2**32))
def test_any_lossless_tile_multiplies_exactly(config, seed):
    weights, vectors = random_operands(config, 3, seed)
    vectors = np.concatenate([vectors, extreme_vectors(config)[2:]])
    np.testing.assert_array_equal(simulate(config, weights, vectors).results, vectors @ weights)


@settings(max_examples=30)
@given(chips(), st.data())
def test_directions_follow_each_other_without_a_gap(config, data):
    """Each product is as if it were alone, whatever is in the pipeline with it."""
    assume(config.transposable)
    weights, _ = random_operands(config, 1, data.draw(st.integers(0, 2**32)))
    directions = data.draw(st.lists(st.booleans(), min_size=2, max_size=6))
    stall = data.draw(st.sampled_from(PATTERNS))
    tile = Tile(config, Analog.ideal(config, weights))
    step = [config.step_range[1] // 2] * config.steps
    operands, expected = [], []
    for seed, transposed in enumerate(directions):
        way = config.direction(transposed)
        x = random_operands(config, 1, seed, transposed=transposed)[1]
        unused = [0] * (config.drive_lines - way.inputs)
        operands.append({"x": x[0].tolist() + unused, "step": step, "transposed": int(transposed)})
        results = tile.multiply(x, step, transposed=transposed).results[0].tolist()
        expected += [(g, results[g :: way.groups]) for g in range(way.groups)]
    dut = HardwareTile(config)
    longest = max(way.latency_cycles for way in config.directions)
    bench = Bench(dut, (len(directions) + 1) * longest + 50 * len(expected))
    answer_analog(bench, dut.analog, Analog.ideal(config, weights))
    bench.send(dut.vectors, operands, (0,))
    taken = bench.take(dut.results, len(expected), stall)
    bench.run()
    found = [
        (payload.group, list(payload.sums)[: len(sums)])
        for (_, payload), (_, sums) in zip(taken, expected, strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("idle, stall", [*itertools.product(PATTERNS, PATTERNS)])
def test_results_do_not_depend_on_the_pace(idle, stall):
    for fields in ({"adcs": 1}, {"adcs": 4, "mapping": "offset", "dac_bits": 4}, {"adc_bits": 1}):
        config = chip(**fields)
        check(config, *random_operands(config, 5), idle=idle, stall=stall)


def test_rounding_clipping_and_saturation_are_as_integers_predict():
    config = chip(rows=5, adc_bits=3, accumulator_bits=7, mapping="offset")
    weights, vectors = random_operands(config, 8)
    steps = [1, 2, 1]
    run = check(config, weights, vectors, steps)
    expected = integer_tile(config, weights, vectors, steps)
    assert run.results.tolist() == expected.results
    assert (run.results != vectors @ weights).any()
    for name in ("clips_high", "clips_low", "saturations"):
        assert run.counters[name] == getattr(expected, name) > 0


@settings(max_examples=40)
@given(chips(), st.booleans())
def test_latency_and_pace_are_as_documented(config, transposed):
    transposed &= config.transposable
    way = config.direction(transposed)
    weights, vectors = random_operands(config, 3, transposed=transposed)
    pause = (way.latency_cycles + 5,)
    alone = simulate(config, weights, vectors, idle=pause, transposed=transposed)
    latencies = np.subtract(alone.offered, alone.started)
    assert latencies.tolist() == [way.latency_cycles] * 3
    packed = simulate(config, weights, vectors, transposed=transposed)
    assert np.diff(packed.offered).tolist() == [config.planes * way.plane_cycles] * 2


@pytest.mark.parametrize(
    "adc_bits, groups, settle_cycles, plane, latency",
    [(6, 4, 4, 24, 55), (6, 1, 5, 6, 20), (6, 1, 6, 7, 22), (2, 1, 1, 3, 10), (1, 4, 1, 5, 14)],
)
def test_documented_cycles(adc_bits, groups, settle_cycles, plane, latency):
    """Cycles of vectors of two planes are those worked out by hand."""
    config = chip(adc_bits=adc_bits, adcs=4 // groups, settle_s=settle_cycles * 10e-9)
    assert (config.forward.plane_cycles, config.forward.latency_cycles) == (plane, latency)


@pytest.mark.parametrize(
    "fields, plane, latency",
    [
        # Of six cycles to settle and two to pass the synchroniser, before the sample.
        ({"adcs": 4, "settled_sync": 2, "settle_s": 60e-9}, 9, 1 + 8 + 9 + 6 + 2),
        # Of four groups, each of six bits that take two cycles, and three to be synchronised.
        ({"adcs": 1, "comparison_cycles": 2, "comparator_sync": 3}, 120, 1 + 6 + 120 + 120 + 2),
        # Of four conversions of three cycles, or of one and a cycle beside.
        ({"adcs": 1, "conversion_s": 30e-9}, 12, 1 + 6 + 12 + 12 + 2),
        ({"adcs": 1, "conversion_s": 10e-9, "settle_s": 0.0}, 5, 1 + 2 + 5 + 4 + 2),
    ],
)
def test_documented_cycles_of_slow_answers(fields, plane, latency):
    config = chip(adc_bits=6, **fields)
    assert (config.forward.plane_cycles, config.forward.latency_cycles) == (plane, latency)


@pytest.mark.parametrize("adcs, settle_s", [(1, 40e-9), (4, 50e-9)])
def test_the_adcs_never_rest_where_settling_is_shorter_than_conversion(adcs, settle_s):
    config = full_width(adcs=adcs, settle_s=settle_s)
    assert config.settle_cycles < config.forward.groups * config.conversion_cycles
    weights, vectors = random_operands(config, 60)
    counters = simulate(config, weights, vectors).counters
    assert (
        counters["adc_cycles"]
        == 60 * config.planes * config.forward.groups * config.conversion_cycles
    )
    assert counters["adc_cycles"] / counters["cycles"] > 0.95


def test_a_tile_takes_as_many_vectors_as_its_registers_hold():
    """With results that nobody takes, single planes of a single group: one vector a register."""
    config = chip(input_bits=2, dac_bits=2, adcs=4)
    weights, vectors = random_operands(config, TILE_VECTORS + 3)
    # A stall as long as it takes to fill up.
    run = simulate(config, weights, vectors, stall=(500, *[0] * (TILE_VECTORS + 2)))
    assert sum(cycle < run.offered[0] + 500 for cycle in run.started) == TILE_VECTORS


@pytest.mark.parametrize("fields", [{"adcs": 1}, {"mapping": "offset", "adc_bits": 1}])
def test_a_reset_at_any_time_leaves_a_usable_tile(fields):
    config = chip(**fields)
    weights, vectors = random_operands(config, 2)
    for cycle in range(
        1, config.forward.latency_cycles + config.planes * config.forward.plane_cycles, 3
    ):
        check(config, weights, vectors, reset=cycle)
