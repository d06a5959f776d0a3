"""Programming in RTL: the pulses of the procedure, in its order, on the physics of the model."""

import copy
import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from golden.tile.write_verify import Targets, program, targets
from hw.boundary.analog import Mode
from hw.tile.tile import Tile as TileRtl
from sim.job import TileJob, TileOutcome
from sim.runner import Build
from spec.config import ChipConfig
from spec.physics import Physics
from tests.support.amaranth_bench import PULSES, Bench, answer_analog
from tests.support.configs import ADC_TIMES, chip
from tests.support.programming import (
    EVERYTHING,
    Step,
    by_hand,
    check_same,
    fresh,
    pick,
    random_targets,
    random_weights,
)
from tests.support.tools import needs_icarus

PATTERNS = [(0,), (3,), (0, 1, 7)]
"""Idle cycles before each target, or stall cycles before each outcome is taken."""

SHAPES: dict[str, dict[str, Any]] = {
    "3x5, one ADC": {"rows": 3, "columns": 5, "adcs": 1},
    "5x6, three ADCs, unit column": {"rows": 5, "columns": 6, "adcs": 3, "mapping": "offset"},
    "1x1": {"rows": 1, "columns": 1, "adcs": 1},
    "7x3, an ADC a column, one slice, unit column": {
        "rows": 7,
        "columns": 3,
        "adcs": 3,
        "slices": 1,
        "mapping": "offset",
    },
    "a single bit, which reads downwards": {
        "input_bits": 1,
        "dac_bits": 1,
        "adc_bits": 6,
        "pulse_limit": 9,
    },
}


def quick(**fields: Any) -> ChipConfig:
    """Return a small chip whose array settles at once, with every fault."""
    times = {"settle_s": 20e-9, "pulse_s": 10e-9}
    wide = {"cell_bits": 3, "dac_bits": 4, "adc_bits": 8, "physics": EVERYTHING}
    return chip(**(times | wide | fields))


def some(wanted: Targets, count: int) -> Targets:
    """Return the first cells of targets that are in no order."""
    return pick(wanted, np.arange(min(count, len(wanted))))


@dataclass
class Run:
    """Record of a simulated tile.

    Attributes
    ----------
    outcomes
        Success, code, pulses of each cell.
    results
        [n, columns] of the vectors.
    steps
        Every write pulse, in order of time.
    aborted
        Those before the reset, if there is one.
    begun
        Names of what was accepted, in order of time: "cell" and "vector".
    analog
        Physics behind the RTL at the end.
    counters
        By name.
    """

    analog: Analog
    outcomes: list[tuple[bool, int, int]] = field(default_factory=list)
    results: list[list[int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    aborted: list[Step] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


def payloads(wanted: Targets) -> list[dict[str, Any]]:
    names = {"slice": "slices", "row": "rows", "adc": "adcs", "group": "groups", "side": "sides"}
    return [
        {
            "cell": {name: int(getattr(wanted, attribute)[i]) for name, attribute in names.items()},
            "level": int(wanted.levels[i]),
        }
        for i in range(len(wanted))
    ]


def simulate(
    analog: Analog,
    wanted: Targets,
    vectors: np.ndarray | None = None,
    idle: tuple[int, ...] = (0,),
    stall: tuple[int, ...] = (0,),
    pause: tuple[int, ...] = (0,),
    reset: int = 0,
) -> Run:
    """Program cells, and multiply `vectors` offered `pause` cycles apart meanwhile.

    With `reset`, all again on the same array after a reset in that cycle.
    """
    config = analog.config
    vectors = np.zeros((0, config.array.rows), np.int64) if vectors is None else vectors
    dut, way = TileRtl(config), config.forward
    a_cell = (config.programming.pulse_limit + 1) * (
        config.settle_cycles + config.pulse_cycles + config.conversion_cycles + 40
    )
    patience = reset + 100 + len(wanted) * (a_cell + max(idle) + max(stall))
    patience += len(vectors) * (way.latency_cycles + max(pause) + 200)
    bench = Bench(dut, patience)
    run = Run(analog)

    def note(*step: int) -> None:
        # The bench hears of a pulse a cycle late.
        before = reset and bench.now <= reset + 1
        (run.aborted if before else run.steps).append(step)

    answer_analog(bench, dut.analog, analog, note)
    operands = [{"x": x, "step": [way.covering_step] * config.steps} for x in vectors.tolist()]
    if reset:
        bench.abort_at(reset, dut.targets, payloads(wanted), dut.outcomes)
    bench.send(dut.targets, payloads(wanted), idle, after=reset)
    told = bench.take(dut.outcomes, len(wanted), stall, after=reset)
    if len(vectors):
        bench.send(dut.vectors, operands, pause, after=reset)
    taken = bench.take(dut.results, len(vectors) * way.groups, after=reset)

    async def watch(ctx: Any) -> None:
        """Note the order, and check that one thing at a time has the array."""
        vector = dut.vectors.valid & dut.vectors.ready
        cell = dut.targets.valid & dut.targets.ready
        busy = ""
        async for _, _, mode, a_vector, a_cell, waiting, reported, strobe in ctx.tick().sample(
            dut.analog.mode,
            vector,
            cell,
            dut.vectors.valid,
            dut.outcomes.valid & dut.outcomes.ready,
            dut.analog.strobe,
        ):
            if reset and bench.now <= reset + 1:
                continue
            assert not (a_cell and waiting), "a cell went before a vector that waited"
            programs = Mode(mode) in {Mode.READ, *PULSES}
            assert not strobe or programs == (busy == "cell")
            if busy == "cell":
                assert not a_vector and not a_cell, "something began while a cell was programmed"
            if a_cell or a_vector:
                busy = "cell" if a_cell else "vector"
                run.begun.append(busy)
            elif reported:
                busy = ""

    bench.answer(watch)

    async def finish(ctx: Any) -> None:
        while len(told) < len(wanted) or len(taken) < len(vectors) * way.groups:
            await ctx.tick()
        await ctx.tick().repeat(3)
        run.counters = {name: ctx.get(dut.counters[name]) for name, _ in dut.counters.shape()}

    bench.sim.add_testbench(finish)
    bench.run()
    run.outcomes = [(bool(p.success), p.code, p.pulses) for _, p in told]
    for i in range(len(vectors)):
        line = [0] * config.array.columns
        for group, (_, payload) in enumerate(taken[i * way.groups : (i + 1) * way.groups]):
            assert payload.group == group
            line[group :: way.groups] = list(payload.sums)
        run.results.append(line)
    return run


def check(analog: Analog, wanted: Targets, **conditions: Any) -> Run:
    """Compare outcomes, every pulse in its order, conductances and counters."""
    model = copy.deepcopy(analog)
    told = by_hand(model, wanted)
    run = simulate(analog, wanted, **conditions)
    assert run.outcomes == list(zip(told.success, told.codes, told.pulses, strict=True))
    assert run.steps == told.steps
    np.testing.assert_array_equal(run.analog.array.g_s, model.array.g_s)
    pulses = sum(told.pulses)
    expected = {
        "reads": pulses + len(wanted),
        "pulses": pulses,
        "failures": told.success.count(False),
        "drives": 0,
        "conversions": 0,
        "clips_high": 0,
        "clips_low": 0,
    }
    assert {name: run.counters[name] for name in expected} == expected
    return run


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pulse_is_that_of_the_procedure(shape):
    config = quick(**SHAPES[shape])
    wanted = some(random_targets(config), 24)
    run = check(fresh(config), wanted)
    if len(wanted) > 10:
        assert {kind for *_, kind, _ in run.steps} == {0, 1}
        assert 0 < run.counters["failures"] < len(wanted)


@settings(max_examples=15)
@given(st.data())
def test_any_programming_parameters(data):
    """Extremes of the widths of amplitude and pulse count among them."""
    bits = data.draw(st.integers(1, 6), "pulse_bits")
    amplitudes = st.integers(0, 2**bits - 1)
    config = quick(
        rows=2,
        columns=data.draw(st.sampled_from([1, 2, 3])),
        adcs=1,
        mapping=data.draw(st.sampled_from(["differential", "offset"])),
        cell_bits=data.draw(st.integers(1, 3)),
        adc_bits=data.draw(st.integers(7, 10)),
        pulse_bits=bits,
        pulse_first=data.draw(amplitudes),
        pulse_increment=data.draw(amplitudes),
        pulse_limit=data.draw(st.sampled_from([1, 2, 7, 8, 15])),
        settle_s=data.draw(st.sampled_from([0.0, 30e-9])),
        pulse_s=data.draw(st.sampled_from([0.0, 20e-9])),
        settled_sync=data.draw(st.sampled_from([0, 2, 4])),
        **data.draw(st.sampled_from(ADC_TIMES)),
        physics=EVERYTHING.replace(
            seed=data.draw(st.integers(0, 99)), pulse_threshold=0, pulse_step=0.1
        ),
    )
    check(fresh(config), some(random_targets(config), 6))


@pytest.mark.parametrize("idle, stall", [*itertools.product(PATTERNS, PATTERNS)])
def test_outcomes_do_not_depend_on_the_pace(idle, stall):
    """A payload that waits stays as it is, and comes without being asked for."""
    config = quick(rows=3, columns=2, adcs=1)
    check(fresh(config), some(random_targets(config), 6), idle=idle, stall=stall)


def test_old_content_is_programmed_over():
    config = quick(rows=2, columns=3, adcs=3)
    analog = fresh(config)
    for seed in range(2):
        run = check(analog, some(random_targets(config, seed), 12))
        analog = run.analog


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize("pause", [(1,), (40,), (7, 0, 150)])
def test_products_run_between_cells_and_go_first(mapping, pause):
    """Each in the array as it is by then, and cells relax with each product."""
    config = quick(rows=4, columns=4, adcs=2, mapping=mapping)
    wanted = some(random_targets(config), 12)
    vectors = np.random.default_rng(0).integers(*config.input_range, (8, 4), endpoint=True)
    model = fresh(config)
    run = simulate(fresh(config), wanted, vectors, pause=pause, stall=(0, 5))
    assert sorted(run.begun) == ["cell"] * 12 + ["vector"] * 8
    first = run.begun.index("vector")
    assert "cell" in run.begun[first:], "no vector came between cells"
    cells, products, steps = iter(range(12)), iter(range(8)), []
    tile = Tile(config, model)
    for what in run.begun:
        if what == "vector":
            i = next(products)
            assert run.results[i] == tile.multiply(vectors[i : i + 1]).results[0].tolist()
        else:
            i = next(cells)
            told = by_hand(model, pick(wanted, [i]))
            steps += told.steps
            assert run.outcomes[i] == (told.success[0], told.codes[0], told.pulses[0])
    assert run.steps == steps
    np.testing.assert_array_equal(run.analog.array.g_s, model.array.g_s)
    assert run.counters["drives"] == 8 * config.planes
    assert (
        run.counters["conversions"] == 8 * config.planes * config.forward.groups * config.converters
    )


def test_a_reset_at_any_time_leaves_a_tile_that_programs():
    """Pulses before the reset have left what they did."""
    config = quick(rows=2, columns=2, adcs=1, physics=Physics.of(pulse_step=0.05))
    wanted = some(random_targets(config), 4)
    aborted = set()
    for cycle in range(2, 120, 5):
        run = simulate(fresh(config), wanted, reset=cycle)
        model = fresh(config)
        for step in run.aborted:
            model.array.cells.pulse(*step)
        told = by_hand(model, wanted)
        assert run.outcomes == list(zip(told.success, told.codes, told.pulses, strict=True))
        assert run.steps == told.steps
        np.testing.assert_array_equal(run.analog.array.g_s, model.array.g_s)
        aborted.add(len(run.aborted))
    assert len(aborted) > 3


def job(config: ChipConfig, **conditions: Any) -> TileJob:
    rng = np.random.default_rng(0)
    vectors = rng.integers(*config.input_range, (6, config.array.rows), endpoint=True)
    steps = np.full(config.steps, config.forward.covering_step)
    wanted = targets(config, random_weights(config))
    return TileJob(fresh(config), vectors, steps, targets=wanted, **conditions)


def check_outcome(job: TileJob, outcome: TileOutcome) -> None:
    """Compare with the model and with the procedure by hand: cells, products, counters."""
    assert outcome.mismatch == ""
    assert job.targets is not None and outcome.programmed is not None
    model, hand = copy.deepcopy(job.analog), copy.deepcopy(job.analog)
    told = by_hand(hand, job.targets)
    check_same(outcome.programmed, told)
    check_same(program(model, job.targets), told)
    products = Tile(job.config, model).multiply(job.vectors, job.steps)
    np.testing.assert_array_equal(outcome.results, products.results)
    np.testing.assert_array_equal(outcome.g_s, model.array.g_s)
    counted = outcome.counters
    assert counted["pulses"] == sum(told.pulses) == len(told.steps) > 0
    assert counted["reads"] == sum(told.pulses) + len(job.targets)
    assert counted["failures"] == told.success.count(False) > 0
    assert 0 < outcome.programming_cycles < outcome.counters["cycles"]


@needs_icarus
@pytest.mark.parametrize(
    ("fields", "conditions"),
    [
        (
            {"rows": 5, "columns": 6, "adcs": 3, "slices": 1, "mapping": "offset"},
            {"idle": (0, 3), "stall": (2, 0, 9)},
        ),
        ({"rows": 3, "columns": 5, "adcs": 1}, {"reset_after": 321}),
    ],
    ids=["offset, three ADCs, pauses", "differential, one ADC, reset"],
)
def test_verilog_programs_as_the_model(fields, conditions):
    config = quick(**fields)
    done = job(config, **conditions)
    check_outcome(done, Build(config, "tile", "icarus").run("sim.tb_tile", done))


@needs_icarus
def test_wrong_rtl_is_reported_with_its_cell(monkeypatch):
    """Built with a wider tolerance, it takes cells for good that are not."""
    config = quick(rows=2, columns=4, adcs=2, mapping="offset")
    tolerance = config.verify_tolerance
    with monkeypatch.context() as patch:
        patch.setattr(ChipConfig, "verify_tolerance", tolerance + 2)
        wrong = Build(config, "tile", "icarus")
    done = job(config, reproduce="make program")
    outcome = wrong.run("sim.tb_tile", done)
    assert done.targets is not None and outcome.programmed is not None
    told = by_hand(copy.deepcopy(done.analog), done.targets)
    expected = [*zip(told.success, told.codes, told.pulses, strict=True)]
    actual = [
        *zip(
            outcome.programmed.success.tolist(),
            outcome.programmed.codes.tolist(),
            outcome.programmed.pulses.tolist(),
            strict=True,
        )
    ]
    differ = [i for i in range(len(expected)) if expected[i] != actual[i]]
    lines = outcome.mismatch.splitlines()
    assert lines[0] == (
        f"mismatch: {len(differ)} of {len(expected)} cells are programmed differently"
    )
    report = {line.split()[0]: line.split(None, 1)[1] for line in lines[1:]}
    i = differ[0]
    assert report["slice"] == str(done.targets.slices[i])
    assert report["row"] == str(done.targets.rows[i])
    assert report["bit"] == f"line      {done.targets.lines(config)[i]}"
    assert report["expected"] == f"success, code, pulses = {[int(n) for n in expected[i]]}"
    assert report["actual"] == f"success, code, pulses = {[int(n) for n in actual[i]]}"
    assert report["reproduce"] == "make program"
