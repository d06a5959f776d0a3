"""Faults and aborts of products in RTL, against the model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.scheduler import product_cycles
from golden.tile.tile import Tile
from spec.isa import PRODUCTS, ErrorCode, Opcode, Space
from tests.support.product_unit import check, simulate, small
from tests.support.products import (
    Product,
    Setting,
    run_on_model,
)

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
    (Product(6, d=32, a=0), ErrorCode.MATRIX),
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
    # A matrix with as many rows and columns as the memory has words.
    (Product(5, d=0, a=0, count=64), ErrorCode.ADDRESS),
    (Product(5, d=0, a=0, count=0), ErrorCode.WEIGHTS),
    (Product(5, d=64, a=64, count=0), ErrorCode.WEIGHTS),
    (Product(5, d=65, a=64, count=0), ErrorCode.ADDRESS),
    (Product(5, d=64, a=65, count=0), ErrorCode.ADDRESS),
    (Product(5, d=0, a=0, count=65), ErrorCode.ADDRESS),
]


def test_faults():
    setting = Setting(small(matrices=6))
    setting.add(0, np.ones((3, 2), int), resident=True)
    # One whose weights, one whose tile and one whose columns are outside; one that is empty; and
    # one that is as large as any.
    outside = np.array([[3, 2, 251, 0], [3, 2, 0, 2], [3, 65, 0, 0], [64, 64, 0, 0]])
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
    machine.tiles[:] = [Tile(config, analog) for analog in analogs]
    machine.write(Space.HOLDING, 0, done[1].holdings)
    assert run_on_model(machine, product, scenario.steps).vector == done[1].vector
