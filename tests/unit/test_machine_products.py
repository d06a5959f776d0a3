"""Products of the machine: exact, rounded once, programmed when needed, counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.machine.machine import Machine
from golden.machine.programmer import write_verify
from golden.tile.analog import Analog
from spec.assembly import assemble
from spec.counters import CHIP_COUNTERS, NOT_COUNTED, TILE_COUNTERS
from spec.isa import ErrorCode, MachineError, Space
from spec.load import load
from spec.physics import Physics
from tests.support.machines import (
    LOSSLESS,
    OPERANDS,
    SMALL,
    machine_with,
    set_matrix,
    state,
    vector,
)

PRODUCT = OPERANDS + "MVM s0, s1, s3, s4, 0\nHALT"


TRANSPOSED = OPERANDS + "MVM_T s0, s1, s3, s4, 0\nHALT"


@pytest.mark.parametrize("product", [PRODUCT, TRANSPOSED])
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 3),
    st.integers(0, 4),
    st.integers(0, 2),
    st.randoms(use_true_random=False),
)
def test_products_are_exact_and_rounded_once(product, rows, columns, count, shift, tile, random):
    weights = np.array([[random.randint(-60, 60) for _ in range(columns)] for _ in range(rows)])
    factor = weights if product is PRODUCT else weights.T
    x = np.array([[random.randint(-32, 31) for _ in factor] for _ in range(count)])
    x = x.reshape(count, len(factor))
    machine = machine_with(product.format(d=64, a=16, b=0, c=shift, n=count), v16=x.ravel())
    set_matrix(machine, 0, weights, tile=tile)
    machine.run()
    exact = x @ factor
    want = np.floor_divide(2 * exact + 2**shift, 2 ** (shift + 1))
    assert vector(machine, 64, exact.size) == want.ravel().tolist()
    assert machine.chip_counters["reprograms"] == -(-rows // 3) * -(-columns // 2)


def test_both_directions_use_what_the_tiles_hold():
    weights = np.arange(6).reshape(3, 2)
    text = OPERANDS + "MVM s0, s1, s3, s4, 0\nMVM_T s1, s0, s3, s4, 0\nHALT"
    machine = machine_with(text.format(d=64, a=16, b=0, c=0, n=1), v16=[1, -2, 3])
    set_matrix(machine, 0, weights)
    machine.run()
    forth = np.array([1, -2, 3]) @ weights
    assert vector(machine, 64, 2) == forth.tolist()
    assert vector(machine, 16, 3) == (weights @ forth).tolist()
    assert machine.chip_counters["reprograms"] == 1


def test_chips_of_the_offset_mapping_do_not_know_transposed_products():
    config = LOSSLESS.replace(mapping="offset")
    machine = machine_with(TRANSPOSED.format(d=64, a=16, b=0, c=0, n=1), config)
    set_matrix(machine, 0, np.ones((3, 2), int))
    before = state(machine)
    machine.start()
    while machine.status.running:
        machine.step()
    assert machine.status.code is ErrorCode.ILLEGAL
    assert state(machine)[0] == before[0]


def product_machine(weights, x, config=LOSSLESS, shift=0, d=64) -> Machine:
    text = PRODUCT.format(d=d, a=16, b=0, c=shift, n=len(x))
    machine = machine_with(text, config, v16=np.array(x).ravel())
    set_matrix(machine, 0, weights)
    return machine


def test_inputs_beyond_the_range_are_clamped_and_counted_once():
    weights = np.ones((3, 5), int)
    machine = product_machine(weights, [[31, 32, -99]])
    machine.run()
    assert vector(machine, 64, 5) == [31 + 31 - 32] * 5
    assert machine.chip_counters["input_clips"] == 2


@pytest.mark.parametrize("d", [22, 12])
def test_vectors_of_a_product_may_touch(d):
    machine = product_machine(np.ones((3, 2), int), np.ones((2, 3), int), d=d)
    machine.run()
    assert vector(machine, d, 4) == [3] * 4


@pytest.mark.parametrize(
    "descriptor",
    [(0, 2, 0, 0), (3, 0, 0, 0), (129, 1, 0, 0), (1, 129, 0, 0), (3, 2, 0, 3)],
)
def test_descriptors_that_fit_no_chip(descriptor):
    machine = machine_with(PRODUCT.format(d=64, a=16, b=0, c=0, n=0))
    machine.write(Space.DESCRIPTOR, 0, descriptor)
    with pytest.raises(MachineError, match="no such descriptor"):
        machine.run()


def test_sums_over_many_rows_are_exact_beyond_64_bits():
    config = load(
        "digits",
        rows=1,
        columns=1,
        adcs=1,
        cell_bits=6,
        slices=5,
        input_bits=28,
        dac_bits=4,
        adc_bits=11,
    )
    high, low = config.weight_range[1], config.input_range[0]
    assert 256 * high * -low > 2**64
    x = np.full((1, 256), low)
    machine = product_machine(np.full((256, 1), high), x, config, shift=40, d=999)
    machine.run()
    assert vector(machine, 999, 1) == [(256 * high * low + 2**39) // 2**40]


def test_results_beyond_32_bits_are_saturated_and_counted():
    config = load(
        "digits", rows=1, columns=2, adcs=1, cell_bits=6, slices=5, input_bits=8, adc_bits=12
    )
    high = config.weight_range[1]
    machine = product_machine([[high, 1]], [[100], [-100]], config)
    machine.run()
    assert vector(machine, 64, 4) == [2**31 - 1, 100, -(2**31), -100]
    assert machine.chip_counters["saturations"] == 2


def test_tiles_count_what_they_do():
    machine = product_machine(np.full((9, 2), 60), np.full((2, 9), 31), SMALL)
    finest = assemble("STEP s5, 0\nSTEP s5, 1\n" + PRODUCT.format(d=64, a=16, b=0, c=0, n=2))
    machine.write(Space.PROGRAM, 0, np.array(finest, "<u8").view("<u4"))
    machine.run()
    for counters in machine.tile_counters:
        assert counters["drives"] == 2 * SMALL.planes
        assert counters["conversions"] == 2 * SMALL.planes * SMALL.converters * SMALL.forward.groups
        assert counters["clips_high"] > 0
        assert counters["saturations"] > 0
    names = [counter.name for table in (CHIP_COUNTERS, TILE_COUNTERS) for counter in table]
    listed = dict(zip(names, machine.counters(), strict=False))
    assert listed["reprograms"] == 3
    assert listed["cycles"] == NOT_COUNTED
    assert len(machine.counters()) == len(CHIP_COUNTERS) + 3 * len(TILE_COUNTERS)


def test_a_step_holds_until_the_end_of_the_run():
    text = OPERANDS + "{step}\nMVM s0, s1, s3, s4, 0\nHALT"
    operands = {"d": 64, "a": 16, "b": 1, "c": 0, "n": 1}
    machine = machine_with(text.format(**operands, step="STEP s2, 0"), v16=[1, 1, 1])
    set_matrix(machine, 0, [[1, 2], [1, 2], [1, 2]])
    machine.run()
    # Sums of 3 and 6 with a step of two units.
    assert vector(machine, 64, 2) == [4, 6]
    machine.write(
        Space.PROGRAM, 0, np.array(assemble(text.format(**operands, step="")), "<u8").view("<u4")
    )
    machine.run()
    assert vector(machine, 64, 2) == [3, 6]


def runs(machine: Machine) -> int:
    """Run, and return how many blocks were programmed."""
    before = machine.chip_counters["reprograms"]
    machine.run()
    return machine.chip_counters["reprograms"] - before


def test_tiles_are_programmed_when_they_lack_a_block():
    machine = product_machine(np.ones((9, 2), int), np.ones((1, 9), int))
    assert (runs(machine), runs(machine)) == (3, 0)
    # A rewritten descriptor makes its tiles forget, another does not.
    set_matrix(machine, 1, np.ones((3, 2), int), address=99)
    assert runs(machine) == 0
    machine.write(Space.HOLDING, 2, [0, 2])
    set_matrix(machine, 0, np.full((9, 2), 2))
    assert machine.read(Space.HOLDING, 0, 6).tolist() == [0, 0, 0, 2, 2, 0]
    assert runs(machine) == 3
    assert vector(machine, 64, 2) == [18, 18]


def test_more_blocks_than_tiles_take_turns():
    machine = product_machine(np.ones((12, 2), int), np.ones((1, 12), int))
    # Blocks 0 and 3 share tile 0.
    assert (runs(machine), runs(machine)) == (4, 2)


def test_the_host_may_say_what_tiles_hold():
    machine = product_machine(np.ones((3, 2), int), np.ones((1, 3), int))
    machine.tiles[0].analog = Analog.ideal(LOSSLESS, np.full((3, 2), 5))
    machine.write(Space.HOLDING, 0, [0, 1])
    assert runs(machine) == 0
    assert vector(machine, 64, 2) == [15, 15]
    machine.write(Space.HOLDING, 1, [0])
    assert runs(machine) == 1
    assert vector(machine, 64, 2) == [3, 3]


def test_weights_outside_of_the_memory_matter_only_to_programming():
    machine = product_machine(np.ones((3, 2), int), np.ones((1, 3), int))
    machine.write(Space.DESCRIPTOR, 2, [251])
    with pytest.raises(MachineError, match="weights are not inside"):
        machine.run()
    machine.write(Space.HOLDING, 0, [0, 1])
    assert runs(machine) == 0


def test_programming_with_pulses_is_counted_and_close():
    weights = np.array([[60, -60], [8, 0], [-1, 17], [30, 31], [2, -9], [5, 5]])
    x = np.array([[9, -3, 31, 1, 2, -32]])
    config = LOSSLESS.replace(input_bits=6, dac_bits=6, adc_bits=12)
    exact = product_machine(weights, x, config)
    exact.run()
    machine = product_machine(weights, x, config)
    machine.bank.programmer = write_verify
    machine.run()
    errors = np.array(vector(machine, 64, 2)) - vector(exact, 64, 2)
    # Every digit is off by a quarter at most, its neighbours in weight included.
    assert 0 < np.abs(errors).max() <= np.abs(x).sum() * (1 + 8) / 2
    for tile in (0, 1):
        counters = machine.tile_counters[tile]
        cells = config.array.slices * config.array.rows * config.bit_lines
        assert counters["reads"] == cells + counters["pulses"]
        assert counters["pulses"] > cells / 4
        assert counters["failures"] == 0
    assert machine.tile_counters[2]["reads"] == 0
    assert machine.chip_counters["reprograms"] == 2


def test_tiles_have_physics_of_their_own():
    config = LOSSLESS.replace(physics=Physics.of(program_error=0.1, seed=5))
    machine = product_machine(np.ones((9, 2), int), np.ones((1, 9), int), config)
    machine.run()
    first, second, third = (tile.analog.array.g_s for tile in machine.tiles)
    assert (first != second).any() and (second != third).any() and (first != third).any()
    again = product_machine(np.ones((9, 2), int), np.ones((1, 9), int), config)
    again.run()
    assert (again.tiles[1].analog.array.g_s == second).all()
