"""The product unit in Amaranth's simulator, against the model of the machine."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.scheduler import product_cycles
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.counters import TILE_COUNTERS
from spec.isa import PRODUCTS, ErrorCode, Opcode, Space
from spec.load import load
from tests.support.amaranth_bench import Bench, answer_analog
from tests.support.products import (
    COUNTS,
    PORTS,
    Done,
    Product,
    Products,
    Scenario,
    Setting,
    run_on_model,
)

UNTIMED = [counter.name for counter in TILE_COUNTERS if not counter.timed]


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


async def read_words(ctx: Any, port: Any, count: int) -> list[int]:
    """Return the first words behind a `WordPort`."""
    words = []
    ctx.set(port.read, 1)
    for address in range(count):
        ctx.set(port.address, address)
        await ctx.tick()
        words.append(ctx.get(port.value))
    ctx.set(port.read, 0)
    return words


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
        for address in range(0, config.machine.vector_words, config.machine.lanes):
            ctx.set(port.address, address)
            await ctx.tick()
            words += [ctx.get(word) for word in port.data]
        ctx.set(port.en, 0)
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
            request, reply = dut.port.request, dut.port.reply
            ctx.set(request.payload, product.request)
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
            begun = bench.now
            while not ctx.get(reply.valid):
                ctx.set(dut.control.aborting, product.aborts(bench.now - begun))
                await ctx.tick()
            ctx.set(dut.control.aborting, 0)
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
                    await read_words(ctx, dut.holdings, 2 * config.machine.tiles),
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


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("shape", [(2, 8), (3, 5), (1, 9), (12, 2), (7, 5)])
def test_transposed_products_add_up_what_stands_apart(shape, lanes):
    """Sums come back from the memory soon after they went there: rows are few, or pieces are."""
    setting = Setting(small(lanes=lanes, tiles=4, adc_bits=10, pulse_limit=1, slices=1))
    rng = np.random.default_rng(0)
    setting.vector[:] = rng.integers(-32, 32, 64)
    weights = rng.integers(-7, 8, shape)
    setting.add(0, weights, 1, resident=True)
    check(setting.scenario([Product(0, d=40, a=0, count=2, opcode=Opcode.MVM_T)] * 2))


def test_sums_that_come_back_soon_take_the_cycles_that_the_reference_says():
    """Eight column blocks of one row block, whose pieces are a single one each."""
    config = small(tiles=8, lanes=4, adc_bits=2, dac_bits=6, slices=1)
    setting = Setting(config)
    setting.add(0, np.ones((3, 16), int), resident=True)
    product = Product(0, d=48, a=0, count=3, opcode=Opcode.MVM_T)
    (cycles,) = check(setting.scenario([product]))
    assert cycles <= product_cycles(config, 3, 16, 3, transposed=True)
    # Three cycles a block set the pace, not one.
    assert cycles > product_cycles(config, 3, 16, 3)


@pytest.mark.parametrize("tiles", [1, 2, 4])
@pytest.mark.parametrize("opcode", PRODUCTS)
def test_an_input_beyond_the_range_is_counted_once_however_many_tiles_get_it(opcode, tiles):
    setting = Setting(small(tiles=tiles, slices=1, adc_bits=10, pulse_limit=1))
    setting.vector[:] = 1000
    setting.add(0, np.ones((7, 5), int))
    scenario = setting.scenario([Product(0, d=40, a=0, count=2, opcode=opcode)])
    check(scenario)
    inputs = 7 if opcode is Opcode.MVM else 5
    assert scenario.expected()[0][0].counts["input_clips"] == 2 * inputs


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
    return config.replace(dac_bits=draw(st.integers(1, config.converter.input_bits)))


@st.composite
def scenarios(draw: st.DrawFn, config: ChipConfig, shape: tuple[int, int]) -> Scenario:
    """Draw a product with a matrix that the tiles hold, if they can, and run it once or twice."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    setting = Setting(config)
    bits = rng.integers(1, 12, config.machine.vector_words)
    setting.vector[:] = rng.integers(-1 << bits, 1 << bits)
    low, high = config.weight_range
    weights = rng.integers(low, high, shape, endpoint=True)
    tile = draw(st.integers(0, config.machine.tiles - 1))
    number = draw(st.integers(0, config.machine.matrices - 1))
    setting.add(number, weights, tile, resident=True)
    count = draw(st.integers(0, min(4, 64 // sum(shape))))
    first = draw(st.booleans())
    opcodes = PRODUCTS if config.transposable else PRODUCTS[:1]
    products = []
    for opcode in draw(st.lists(st.sampled_from(opcodes), min_size=1, max_size=2)):
        inputs, outputs = shape if opcode is Opcode.MVM else shape[::-1]
        a, d = (0, 64 - count * outputs) if first else (64 - count * inputs, 0)
        products.append(Product(number, d, a, draw(st.integers(0, 9)), count, opcode=opcode))
    steps = [draw(st.integers(*config.step_range)) for _ in range(config.steps)]
    return setting.scenario(products, steps)


@settings(max_examples=16)
@given(st.data())
def test_products_with_blocks_that_the_tiles_hold(data):
    config = data.draw(chips(4, 3))
    row_blocks = data.draw(st.integers(1, config.machine.tiles))
    column_blocks = data.draw(st.integers(1, config.machine.tiles // row_blocks))
    rows = data.draw(st.integers(1, row_blocks * config.array.rows))
    columns = data.draw(st.integers(1, column_blocks * config.array.columns))
    scenario = data.draw(scenarios(config, (rows, columns)))
    for product, cycles in zip(scenario.products, check(scenario), strict=True):
        transposed = product.opcode is Opcode.MVM_T
        assert cycles <= product_cycles(config, rows, columns, product.count, transposed=transposed)


@settings(max_examples=16)
@given(st.data())
def test_products_with_more_blocks_than_tiles(data):
    config = data.draw(chips(2, 2).filter(lambda config: config.verifiable))
    rows = data.draw(st.integers(1, 3 * config.array.rows))
    columns = data.draw(st.integers(1, 3 * config.array.columns))
    check(data.draw(scenarios(config, (rows, columns))))


def test_a_single_plane_keeps_the_converters_busy():
    config = small(rows=4, columns=4, dac_bits=6, adc_bits=10, tiles=2, lanes=4)
    setting = Setting(config)
    setting.vector[:] = np.random.default_rng(0).integers(-32, 32, 64)
    setting.add(0, np.ones((8, 4), int), resident=True)
    few, many = (
        check(setting.scenario([Product(0, d=64 - 4 * count, a=0, count=count)]))[0]
        for count in (2, 5)
    )
    assert many - few == 3 * config.forward.groups * config.converter.adc_bits


def test_sums_beyond_32_bits_are_saturated_and_counted():
    config = small(rows=1, cell_bits=6, slices=5, input_bits=8, adc_bits=12, tiles=1)
    setting = Setting(config)
    setting.vector[:2] = 100, -100
    setting.add(0, np.array([[config.weight_range[1], 1]]), resident=True)
    scenario = setting.scenario([Product(0, d=8, a=0, count=2)])
    check(scenario)
    done = scenario.expected()[0][0]
    assert done.vector[8:12] == [2**31 - 1, 100, -(2**31), -100]
    assert done.counts["saturations"] == 2


WILD = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 70)


@settings(max_examples=4)
@given(st.data())
def test_what_faults_changes_nothing(data):
    config = small(weight_words=32)
    setting = Setting(config)
    setting.vector[:] = np.arange(64)
    setting.add(0, np.ones((2, 2), int), resident=True)
    descriptors = st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 40), min_size=4, max_size=4)
    for number in (1, 2):
        words = np.array(data.draw(descriptors), "<u4")
        # Whatever has no other fault would have to be programmed.
        words[2] = max(words[2], config.machine.weight_words)
        setting.writes.append((Space.DESCRIPTOR, 4 * number, words))
    wild = st.builds(
        Product,
        st.integers(-1, 3) | st.integers(-(2**31), 2**31 - 1),
        d=WILD,
        a=WILD,
        shift=st.integers(-1, 64) | WILD,
        count=st.integers(-1, 16) | WILD,
        opcode=st.sampled_from(PRODUCTS),
    )
    products = data.draw(st.lists(wild, min_size=20, max_size=20))
    check(setting.scenario([*products, Product(0, d=32, a=0, count=1)]))


FAULTS = [
    (Product(0, d=32, a=0, shift=-1), ErrorCode.OPERAND),
    (Product(0, d=32, a=0, shift=64), ErrorCode.OPERAND),
    (Product(-1, d=32, a=0), ErrorCode.MATRIX),
    (Product(5, d=32, a=0), ErrorCode.MATRIX),
    (Product(1, d=32, a=0), ErrorCode.MATRIX),
    (Product(3, d=32, a=0), ErrorCode.MATRIX),
    (Product(4, d=32, a=0), ErrorCode.MATRIX),
    (Product(0, d=63, a=0), ErrorCode.ADDRESS),
    (Product(0, d=32, a=-1), ErrorCode.ADDRESS),
    (Product(0, d=32, a=0, count=-1), ErrorCode.ADDRESS),
    (Product(0, d=32, a=0, count=2**33), ErrorCode.ADDRESS),
    (Product(0, d=2**32, a=0), ErrorCode.ADDRESS),
    (Product(0, d=1, a=0), ErrorCode.OVERLAP),
    (Product(0, d=0, a=0, count=0), ErrorCode.NONE),
    (Product(2, d=32, a=0), ErrorCode.WEIGHTS),
    (Product(2, d=0, a=0, shift=64), ErrorCode.OPERAND),
    # Vectors of 2 words and results of 3.
    (Product(0, d=61, a=0, opcode=Opcode.MVM_T), ErrorCode.NONE),
    (Product(0, d=62, a=0, opcode=Opcode.MVM_T), ErrorCode.ADDRESS),
    (Product(0, d=0, a=62, opcode=Opcode.MVM_T), ErrorCode.NONE),
    (Product(0, d=0, a=63, opcode=Opcode.MVM_T), ErrorCode.ADDRESS),
    (Product(0, d=2, a=0, opcode=Opcode.MVM_T), ErrorCode.NONE),
    (Product(0, d=0, a=2, opcode=Opcode.MVM_T), ErrorCode.OVERLAP),
    (Product(2, d=32, a=0, opcode=Opcode.MVM_T), ErrorCode.WEIGHTS),
]


def test_faults():
    setting = Setting(small(matrices=5))
    setting.add(0, np.ones((3, 2), int), resident=True)
    # One whose weights, one whose tile and one whose columns are outside; and one that is empty.
    outside = np.array([[3, 2, 251, 0], [3, 2, 0, 2], [3, 65, 0, 0]])
    setting.writes.append((Space.DESCRIPTOR, 8, outside.ravel()))
    scenario = setting.scenario([product for product, _ in FAULTS])
    check(scenario)
    codes = [done.code for done in scenario.expected()[0]]
    assert codes == [code for _, code in FAULTS]


@pytest.mark.parametrize("opcode", PRODUCTS)
@pytest.mark.parametrize(("adcs", "dac_bits"), [(1, 2), (4, 6)])
def test_an_aborted_product_may_be_begun_again(adcs, dac_bits, opcode):
    config = small(columns=4, adcs=adcs, dac_bits=dac_bits, adc_bits=4, lanes=2)
    setting = Setting(config)
    setting.vector[:] = np.random.default_rng(0).integers(-32, 32, 64)
    setting.add(0, np.random.default_rng(1).integers(-60, 61, (6, 4)), resident=True)
    product = Product(0, d=48, a=0, count=2, opcode=opcode)
    # Every cycle until the first vectors are in the tiles, then some.
    transposed = opcode is Opcode.MVM_T
    most = product_cycles(config, 6, 4, 2, transposed=transposed)
    aborted = [replace(product, abort_at=at) for at in (*range(30), *range(30, most, 12))]
    scenario = setting.scenario([each for one in aborted for each in (one, product)])
    done, _, cycles = simulate(scenario)
    expected = setting.scenario([product]).expected()[0][0]
    for i, one in enumerate(aborted):
        ended, begun_again = done[2 * i : 2 * i + 2]
        remained = cycles[2 * i] - one.abort_at
        assert ended.code is (ErrorCode.ABORTED if remained > 2 else ErrorCode.NONE)
        assert remained <= 4 * config.direction(transposed).latency_cycles
        assert begun_again.code is ErrorCode.NONE
        assert begun_again.counts == expected.counts
        assert begun_again.vector == expected.vector
        assert begun_again.holdings == expected.holdings


@settings(max_examples=6)
@given(st.integers(0, 1500))
def test_a_tile_whose_programming_is_aborted_is_programmed_anew(cycle):
    config = small(rows=2, slices=1, pulse_limit=2, tiles=2, adc_bits=8)
    setting = Setting(config)
    setting.vector[:] = np.arange(-32, 32)
    setting.add(0, np.array([[7, -7], [3, 0], [1, -2], [-7, 5]]), 1)
    # Something else at first.
    setting.writes.append((Space.HOLDING, 0, np.array([0, 3, 0, 3])))
    product = Product(0, d=48, a=0, count=2)
    scenario = setting.scenario([replace(product, abort_at=cycle), product])
    done, analogs, cycles = simulate(scenario)
    assert done[0].code is (ErrorCode.ABORTED if cycles[0] - cycle > 2 else ErrorCode.NONE)
    # It ends with the cell at hand and the one behind it.
    cell = (config.programming.pulse_limit + 1) * (
        config.settle_cycles + config.converter.adc_bits + 12
    )
    assert cycles[0] - cycle <= 2 * cell + 20
    programmed = done[0].counts["reprograms"]
    for i, tile in enumerate((1, 0)):
        touched = done[0].tiles[tile]["reads"] > 0
        matrix = done[0].holdings[2 * tile + 1]
        assert matrix == (1 if i < programmed else 0 if touched else 3)
    assert done[1].code is ErrorCode.NONE
    assert done[1].counts["reprograms"] == 2 - programmed
    assert done[1].holdings == [1, 1, 0, 1]
    # The results are those of the arrays, whatever has been programmed into them.
    machine = scenario.machine()
    machine.tiles = [Tile(config, analog) for analog in analogs]
    machine.write(Space.HOLDING, 0, done[1].holdings)
    assert run_on_model(machine, product, scenario.steps).vector == done[1].vector


def test_spaces_of_the_host():
    dut = Products(small())
    reset = Signal()
    bench = Bench(ResetInserter(reset)(dut), 1000)

    async def write(ctx, port, address, word):
        ctx.set(port.address, address)
        ctx.set(port.data, word)
        ctx.set(port.write, 1)
        await ctx.tick()
        ctx.set(port.write, 0)

    async def host(ctx):
        assert await read_words(ctx, dut.descriptors, 12) == [0] * 12
        for i, word in enumerate([7, 60, 2**32 - 60, 0]):
            await write(ctx, dut.weights, i, word)
        assert await read_words(ctx, dut.weights, 4) == [7, 60, 2**32 - 60, 0]
        for i, word in enumerate([2**32 - 1, 1, 9, 3]):
            await write(ctx, dut.holdings, i, word)
        assert await read_words(ctx, dut.holdings, 4) == [2**32 - 1, 1, 9, 3]
        # Any word of a descriptor makes the tiles forget its matrix.
        await write(ctx, dut.descriptors, 11, 2**32 - 2)
        assert await read_words(ctx, dut.holdings, 4) == [2**32 - 1, 1, 9, 0]
        assert await read_words(ctx, dut.descriptors, 12) == [0] * 11 + [2**32 - 2]
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert await read_words(ctx, dut.descriptors, 12) == [0] * 12
        assert await read_words(ctx, dut.holdings, 4) == [0] * 4

    bench.sim.add_testbench(host)
    bench.run()
