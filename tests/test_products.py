"""The product unit in Amaranth's simulator, against the model of the machine."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.analog import Analog
from golden.config import ChipConfig, load
from golden.isa import TILE_COUNTERS, ErrorCode, Opcode, Space
from tests.bench import Bench, answer_analog
from tests.products import COUNTS, Done, Product, Products, Scenario, Setting

UNTIMED = [counter.name for counter in TILE_COUNTERS if not counter.timed]
PORTS = {
    Space.DESCRIPTOR: "descriptors",
    Space.HOLDING: "holdings",
    Space.WEIGHT: "weights",
}


def small(**changes: Any) -> ChipConfig:
    fields = {
        "rows": 3,
        "columns": 2,
        "adcs": 1,
        "tiles": 2,
        "vector_words": 64,
        "weight_words": 256,
        "matrices": 3,
        "settle_s": 0.0,
    }
    return load("digits", **fields | changes)


def simulate(
    scenario: Scenario, patience: int = 20000
) -> tuple[list[Done], list[Analog], list[int]]:
    """Return what came of each product, the analogue parts at the end, and cycles of each."""
    config = scenario.config
    dut = Products(config)
    bench = Bench(dut, patience)
    analogs = [copy.deepcopy(analog) for analog in scenario.analogs]
    for port, analog in zip(dut.tiles, analogs, strict=True):
        answer_analog(bench, port.analog, analog)
    done: list[Done] = []
    cycles: list[int] = []

    async def write_vector(ctx, address, words):
        port = dut.vector.write
        ctx.set(port.en, 1)
        ctx.set(port.mask, 1)
        for i, word in enumerate(words.view("<i4").tolist()):
            ctx.set(port.address, address + i)
            ctx.set(port.data[0], word)
            await ctx.tick()
        ctx.set(port.en, 0)

    async def read_vector(ctx):
        port = dut.vector.read
        words = []
        ctx.set(port.en, 1)
        for address in range(0, config.vector_words, config.lanes):
            ctx.set(port.address, address)
            await ctx.tick()
            words += [ctx.get(word) for word in port.data]
        ctx.set(port.en, 0)
        return words

    async def read_words(ctx, port, count):
        words = []
        ctx.set(port.read, 1)
        for address in range(count):
            ctx.set(port.address, address)
            await ctx.tick()
            words.append(ctx.get(port.value))
        ctx.set(port.read, 0)
        return words

    async def host(ctx):
        for space, address, words in scenario.writes:
            if space is Space.VECTOR:
                await write_vector(ctx, address, words)
                continue
            port = getattr(dut, PORTS[space])
            ctx.set(port.write, 1)
            for i, word in enumerate(words.tolist()):
                ctx.set(port.address, address + i)
                ctx.set(port.data, word)
                await ctx.tick()
            ctx.set(port.write, 0)
        ctx.set(dut.control.step, scenario.steps)
        for product in scenario.products:
            payload = {"opcode": Opcode.MVM, "immediate": product.matrix, **product.operands}
            request, reply = dut.unit.request, dut.unit.reply
            ctx.set(request.payload, payload)
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
            begun = bench.now
            while not ctx.get(reply.valid):
                ctx.set(dut.control.abort, bench.now - begun == product.abort_after)
                await ctx.tick()
            ctx.set(dut.control.abort, 0)
            payload = ctx.get(reply.payload)
            ctx.set(reply.ready, 1)
            await ctx.tick()
            ctx.set(reply.ready, 0)
            cycles.append(bench.now - begun)
            await ctx.tick().repeat(3)
            done.append(
                Done(
                    ErrorCode(payload.code),
                    {name: getattr(payload, name) for name in COUNTS},
                    await read_vector(ctx),
                    await read_words(ctx, dut.holdings, 2 * config.tiles),
                    [
                        {name: ctx.get(port.counters[name]) for name in UNTIMED}
                        for port in dut.tiles
                    ],
                )
            )

    bench.sim.add_testbench(host)
    bench.run()
    return done, analogs, cycles


def check(scenario: Scenario, patience: int = 20000) -> list[int]:
    """Compare with the model; return cycles of each product."""
    expected, machine = scenario.expected()
    done, analogs, cycles = simulate(scenario, patience)
    for want, got in zip(expected, done, strict=True):
        assert got == want
    for analog, tile in zip(analogs, machine.tiles, strict=True):
        np.testing.assert_array_equal(analog.array.g_s, tile.analog.array.g_s)
    return cycles


def test_a_product():
    setting = Setting(small())
    rng = np.random.default_rng(0)
    setting.vector[:] = rng.integers(-40, 40, 64)
    setting.add(0, rng.integers(-60, 61, (3, 2)), resident=True)
    print(check(setting.scenario([Product(0, d=32, a=0, count=3)])))


@st.composite
def chips(draw: st.DrawFn, most: int, slices: int) -> ChipConfig:
    columns = draw(st.integers(1, most))
    config = small(
        rows=draw(st.integers(1, most)),
        columns=columns,
        adcs=draw(st.sampled_from([n for n in range(1, columns + 1) if columns % n == 0])),
        mapping=draw(st.sampled_from(["differential", "offset"])),
        cell_bits=draw(st.integers(1, 3)),
        slices=draw(st.integers(1, slices)),
        input_bits=draw(st.integers(1, 6)),
        dac_bits=1,
        adc_bits=draw(st.integers(2, 8)),
        tiles=draw(st.sampled_from([1, 2, 4])),
        lanes=draw(st.sampled_from([1, 2, 4, 8])),
        settle_s=draw(st.integers(0, 5)) * 10e-9,
        pulse_limit=1,
        pulse_s=0.0,
    )
    return replace(config, dac_bits=draw(st.integers(1, config.input_bits)))


@st.composite
def scenarios(draw: st.DrawFn, config: ChipConfig, shape: tuple[int, int]) -> Scenario:
    """Draw a product with a matrix that the tiles hold, if they can, and run it once or twice."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    setting = Setting(config)
    bits = rng.integers(1, 12, config.vector_words)
    setting.vector[:] = rng.integers(-1 << bits, 1 << bits)
    low, high = config.weight_range
    weights = rng.integers(low, high, shape, endpoint=True)
    first = draw(st.integers(0, config.tiles - 1))
    number = draw(st.integers(0, config.matrices - 1))
    setting.add(number, weights, first, resident=True)
    rows, columns = shape
    count = draw(st.integers(0, min(4, 64 // (rows + columns))))
    places = [0, 64 - count * columns]
    if draw(st.booleans()):
        places = [64 - count * rows, 0]
    product = Product(number, places[1], places[0], draw(st.integers(0, 9)), count)
    steps = [draw(st.integers(*config.step_range)) for _ in range(config.steps)]
    return setting.scenario([product] * draw(st.integers(1, 2)), steps)


@settings(max_examples=15)
@given(st.data())
def test_products_with_blocks_that_the_tiles_hold(data):
    config = data.draw(chips(4, 3))
    row_blocks = data.draw(st.integers(1, config.tiles))
    column_blocks = data.draw(st.integers(1, config.tiles // row_blocks))
    rows = data.draw(st.integers(1, row_blocks * config.rows))
    columns = data.draw(st.integers(1, column_blocks * config.columns))
    check(data.draw(scenarios(config, (rows, columns))))


@settings(max_examples=15)
@given(st.data())
def test_products_with_more_blocks_than_tiles(data):
    config = data.draw(chips(2, 2).filter(lambda config: config.verifiable))
    rows = data.draw(st.integers(1, 3 * config.rows))
    columns = data.draw(st.integers(1, 3 * config.columns))
    check(data.draw(scenarios(config, (rows, columns))))
