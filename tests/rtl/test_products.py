"""The product unit in Amaranth's simulator, against the model of the machine."""

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.scheduler import product_cycles
from spec.config import ChipConfig
from spec.isa import PRODUCTS, Opcode
from tests.support.amaranth_bench import Bench
from tests.support.product_unit import check, read_words, small
from tests.support.products import (
    Product,
    Products,
    Scenario,
    Setting,
)


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


@pytest.mark.parametrize("opcode", PRODUCTS)
@pytest.mark.parametrize("blocks", [1, 4])
def test_a_product_of_no_vectors_takes_three_cycles_a_block(blocks, opcode):
    config = small(tiles=4)
    setting = Setting(config)
    setting.add(0, np.ones((3 * blocks, 2), int), resident=True)
    (cycles,) = check(setting.scenario([Product(0, d=0, a=0, count=0, opcode=opcode)]))
    assert cycles == 10 + 3 * blocks


@pytest.mark.parametrize("tiles", [1, 4])
@pytest.mark.parametrize("count", [1, 3])
def test_the_bound_of_cycles_is_no_wider_than_it_was_found_to_be(count, tiles):
    """Tiles that get their vectors in one beat, and give their results in one."""
    config = small(tiles=tiles)
    setting = Setting(config)
    setting.add(0, np.ones((3 * tiles, 2), int), resident=True)
    (cycles,) = check(setting.scenario([Product(0, d=56, a=0, count=count)]))
    assert product_cycles(config, 3 * tiles, 2, count) - cycles == 2 + tiles


def test_every_input_may_be_clipped_and_every_weight_be_a_block():
    """Counts at their largest, and weights up to the last word of their memory."""
    fields = {"slices": 1, "dac_bits": 6, "pulse_limit": 1, "adc_bits": 10, "tiles": 2}
    config = small(
        rows=1, columns=1, vector_words=16, weight_words=16, matrices=1, lanes=2, **fields
    )
    setting = Setting(config)
    setting.vector[:] = 1000
    setting.add(0, np.arange(1, 17).reshape(4, 4) % 8)
    scenario = setting.scenario([Product(0, d=12, a=0, count=1), Product(0, d=0, a=0, count=0)])
    check(scenario)
    assert [done.counts["reprograms"] for done in scenario.expected()[0]] == [16, 16]

    setting = Setting(small(rows=8, vector_words=16, lanes=2, **fields))
    setting.vector[:] = 1000
    setting.add(0, np.ones((15, 1), int), resident=True)
    scenario = setting.scenario([Product(0, d=15, a=0, count=1)])
    check(scenario)
    assert scenario.expected()[0][0].counts["input_clips"] == 15


def test_a_matrix_as_long_as_the_vector_memory_is_programmed_without_vectors():
    config = small(
        rows=4, vector_words=8, slices=1, dac_bits=6, pulse_limit=1, adc_bits=10, lanes=2
    )
    setting = Setting(config)
    setting.add(0, np.arange(16).reshape(8, 2) % 8)
    scenario = setting.scenario([Product(0, d=0, a=0, count=0)])
    check(scenario)
    assert scenario.expected()[0][0].counts["reprograms"] == 2


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
