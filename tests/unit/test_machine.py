"""The machine: what instructions do to it, how it stops, and what the host may do."""

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.machine import Machine, Status
from golden.machine.programmer import write_verify
from golden.tile.analog import Analog
from ohmulator.compiler.words import from_words, to_words
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import (
    CHIP_COUNTERS,
    NOT_COUNTED,
    TILE_COUNTERS,
    ErrorCode,
    MachineError,
    Opcode,
    Space,
)
from spec.load import load
from spec.packet import space_words
from spec.physics import Physics
from tests.support.programs import scenarios, trace

SMALL = load(
    "digits",
    rows=3,
    columns=2,
    adcs=1,
    adc_bits=4,
    accumulator_bits=8,
    tiles=3,
    vector_words=128,
    program_words=48,
    weight_words=256,
    matrices=2,
)
"""A chip on which everything clips and saturates now and then."""

LOSSLESS = SMALL.replace(adc_bits=9, accumulator_bits=0)


def machine_with(text: str, config=LOSSLESS, **vectors: list[int]) -> Machine:
    """Return a machine with a program and vectors, given by name and address: v8=[...]."""
    machine = Machine(config)
    machine.write(Space.PROGRAM, 0, np.array(assemble(text), "<u8").view("<u4"))
    for name, values in vectors.items():
        machine.write(Space.VECTOR, int(name[1:]), to_words(np.array(values)))
    return machine


def vector(machine: Machine, address: int, count: int) -> list[int]:
    return from_words(machine.read(Space.VECTOR, address, count)).tolist()


def scalar(machine: Machine, number: int) -> int:
    return int(machine.read(Space.SCALAR, 2 * number, 2).view("<i8")[0])


def state(machine: Machine) -> list[list[int]]:
    spaces = [machine._spaces[space].tolist() for space in Space]
    return [*spaces, machine.counters()]


def set_matrix(machine: Machine, number: int, weights, address: int = 0, tile: int = 0) -> None:
    array = np.array(weights)
    machine.write(Space.WEIGHT, address, to_words(array))
    words = np.array([*array.shape, address, tile], np.uint32)
    machine.write(Space.DESCRIPTOR, 4 * number, words)


# Random programs


@given(scenarios(SMALL))
@settings(deadline=None)
def test_effects_are_all_that_happens(scenario):
    machine = Machine(SMALL)
    for write in scenario.writes():
        machine.write(*write)
    before = state(machine)
    words = machine._vector.copy()
    scalars = machine._scalars.copy()
    chip = dict(machine.chip_counters)
    for effects in trace(machine, 100):
        after = state(machine)
        for address, values in effects.words:
            words[address : address + len(values)] = values
        for number, value in effects.scalars.items():
            scalars[number] = value
        for name, amount in effects.counters.get(None, {}).items():
            chip[name] += amount
        assert words.tolist() == machine._vector.tolist()
        assert scalars.tolist() == machine._scalars.tolist()
        assert chip == machine.chip_counters
        if effects.code is not ErrorCode.NONE:
            assert after == before
        before = after
    assert not machine.status.running


@pytest.mark.parametrize("opcode", Opcode)
def test_random_programs_reach_every_opcode(opcode):
    def reached(scenario):
        machine = Machine(SMALL)
        for write in scenario.writes():
            machine.write(*write)
        return any(
            effects.instruction
            and effects.instruction.opcode is opcode
            and effects.code is ErrorCode.NONE
            for effects in trace(machine, 100)
        )

    quick = settings(deadline=None, phases=[hypothesis.Phase.generate], max_examples=1000)
    hypothesis.find(scenarios(SMALL), reached, settings=quick)


# Instructions


def test_loops_and_branches():
    machine = machine_with("""
            SET s0, 5
            SET s2, -1
    loop:   ADD s1, s1, s0
            LOOP s0, loop
            BLT s2, s0, less
            HALT
    less:   BGE s0, s0, equal
            HALT
    equal:  BEQ s0, s2, wrong
            BNE s0, s2, done
    wrong:  SET s1, 0
    done:   HALT
    """)
    machine.run()
    assert scalar(machine, 1) == 15
    assert scalar(machine, 0) == 0
    assert machine.chip_counters["instructions"] == 2 + 5 * 2 + 1 + 1 + 2 + 1


def test_scalars_saturate_at_64_bits():
    machine = machine_with("""
            SET s0, -1
            SETH s0, 0x7FFFFFFF
            ADDI s1, s0, 1
            SET s2, 0
            SUB s3, s2, s0
            SUB s3, s3, s0
            HALT
    """)
    machine.run()
    assert scalar(machine, 0) == scalar(machine, 1) == 2**63 - 1
    assert scalar(machine, 3) == -(2**63)
    assert machine.chip_counters["saturations"] == 2


def test_words_go_to_scalars_and_back():
    machine = machine_with(
        """
            SET s0, 7
            LOAD s1, s0, 1
            ADD s2, s1, s1
            STORE s0, s2, 2
            HALT
    """,
        v8=[-(2**31)],
    )
    machine.run()
    assert scalar(machine, 1) == -(2**31)
    assert vector(machine, 9, 1) == [-(2**31)]
    assert machine.chip_counters["saturations"] == 1


def test_reductions():
    machine = machine_with(
        """
            SET s0, 8
            SET s1, 3
            VDOT s2, s0, s0, s1
            VMAXMAG s3, s0, s1
            HALT
    """,
        v8=[3, -4, 2],
    )
    machine.run()
    assert scalar(machine, 2) == 29
    assert scalar(machine, 3) == 2


OPERANDS = """
        SET s0, {d}
        SET s1, {a}
        SET s2, {b}
        SET s3, {c}
        SET s4, {n}
"""


@pytest.mark.parametrize(
    ("instruction", "operands", "code"),
    [
        ("VADD s0, s1, s2, s4", {"a": 128}, ErrorCode.ADDRESS),
        ("VADD s0, s1, s2, s4", {"d": 125}, ErrorCode.ADDRESS),
        ("VADD s0, s1, s2, s4", {"b": -1}, ErrorCode.ADDRESS),
        ("VADD s0, s1, s2, s4", {"n": -1}, ErrorCode.ADDRESS),
        ("VADD s0, s1, s2, s4", {"d": 19}, ErrorCode.OVERLAP),
        ("VADD s0, s1, s2, s4", {"d": 38}, ErrorCode.OVERLAP),
        ("VSHIFT s0, s1, s3, s4", {"c": -32}, ErrorCode.OPERAND),
        ("VSHIFT s0, s1, s3, s4", {"c": 64, "d": 19}, ErrorCode.OPERAND),
        ("VSCALE s0, s1, s2, s3, s4", {"c": -1}, ErrorCode.OPERAND),
        ("SETH s2, 1\nVSCALE s0, s1, s2, s3, s4", {}, ErrorCode.OPERAND),
        ("VCLAMP s0, s1, s2, s3, s4", {"b": 2, "c": 1}, ErrorCode.OPERAND),
        ("SETH s2, -5\nVCLAMP s0, s1, s2, s3, s4", {}, ErrorCode.OPERAND),
        ("SETH s3, 5\nVCLAMP s0, s1, s2, s3, s4", {}, ErrorCode.OPERAND),
        ("VMAXMAG s0, s1, s4", {"n": 113}, ErrorCode.ADDRESS),
        ("LOAD s0, s1, 112", {}, ErrorCode.ADDRESS),
        ("STORE s1, s1, -17", {}, ErrorCode.ADDRESS),
        ("STEP s0, 2", {}, ErrorCode.OPERAND),
        ("STEP s3, -1", {"c": 0}, ErrorCode.OPERAND),
        ("STEP s3, 0", {"c": 99}, ErrorCode.OPERAND),
        ("MVM s0, s1, s3, s4, 0", {"c": 64}, ErrorCode.OPERAND),
        ("MVM s0, s1, s3, s4, 1", {"c": 0}, ErrorCode.MATRIX),
        ("MVM s0, s1, s3, s4, 2", {"c": 0}, ErrorCode.MATRIX),
        ("MVM s0, s1, s3, s4, 0", {"c": 0, "n": 99}, ErrorCode.ADDRESS),
        ("MVM s0, s1, s3, s4, 0", {"c": 0, "d": 16}, ErrorCode.OVERLAP),
        ("MVM_T s0, s1, s3, s4, 0", {"c": 64}, ErrorCode.OPERAND),
        ("MVM_T s0, s1, s3, s4, 1", {"c": 0}, ErrorCode.MATRIX),
        ("MVM_T s0, s1, s3, s4, 0", {"c": 0, "n": 99}, ErrorCode.ADDRESS),
        ("MVM_T s0, s1, s3, s4, 0", {"c": 0, "d": 16}, ErrorCode.OVERLAP),
        (".word 0", {}, ErrorCode.ILLEGAL),
        ("JUMP 48", {}, ErrorCode.PROGRAM_COUNTER),
        ("JUMP -1", {}, ErrorCode.PROGRAM_COUNTER),
    ],
)
def test_faults(instruction, operands, code):
    usual = {"d": 64, "a": 16, "b": 40, "c": 3, "n": 4}
    text = OPERANDS.format(**usual | operands) + instruction
    machine = machine_with(text)
    set_matrix(machine, 0, np.ones((3, 2), int))
    with pytest.raises(MachineError, match=code.summary) as caught:
        machine.run()
    assert caught.value.code is code
    assert machine.status == Status(False, code, caught.value.pc)
    # The next command works.
    machine.write(Space.PROGRAM, 0, np.array(assemble("HALT"), "<u8").view("<u4"))
    machine.run()
    assert machine.status == Status(False, ErrorCode.NONE, 0)


@pytest.mark.parametrize("d", [16, 20, 12, 90])
def test_vectors_may_coincide_or_touch(d):
    text = OPERANDS.format(d=d, a=16, b=90, c=0, n=4) + "VADD s0, s1, s2, s4\nHALT"
    machine = machine_with(text, v16=[1, 2, 3, 4], v90=[10, 20, 30, 40])
    machine.run()
    assert vector(machine, d, 4) == [11, 22, 33, 44]


def test_a_program_that_runs_off_its_end_stops():
    machine = machine_with("SET s0, 1")
    with pytest.raises(MachineError, match=r"unknown opcode.* at instruction 1"):
        machine.run()
    full = machine_with("\n".join(["SET s0, 1"] * 48))
    with pytest.raises(MachineError, match=r"program counter .* at instruction 48"):
        full.run()


def test_an_endless_loop_can_be_aborted():
    machine = machine_with("loop: JUMP loop")
    machine.start()
    for _ in range(5):
        machine.step()
    with pytest.raises(MachineError, match="while a program runs"):
        machine.read(Space.VECTOR, 0, 1)
    with pytest.raises(MachineError, match="while a program runs"):
        machine.write(Space.VECTOR, 0, [1])
    with pytest.raises(MachineError, match="while a program runs"):
        machine.start()
    machine.abort()
    assert machine.status == Status(False, ErrorCode.ABORTED, 0)
    machine.write(Space.PROGRAM, 0, np.array(assemble("HALT"), "<u8").view("<u4"))
    machine.run()


def test_nothing_steps_unless_started():
    with pytest.raises(ValueError, match=r"call start\(\) first"):
        Machine(SMALL).step()


# Products

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


# What tiles hold


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
    machine.programmer = write_verify
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


# Host


@pytest.mark.parametrize("space", Space)
def test_spaces_hold_what_is_written(space):
    machine = Machine(SMALL)
    size = space_words(SMALL, space)
    words = np.arange(size) % 3
    machine.write(space, 0, words)
    machine.write(space, size - 1, [1])
    words[-1] = 1
    assert machine.read(space, 0, size).tolist() == words.tolist()
    for address, count in [(size, 1), (0, size + 1), (-1, 1)]:
        with pytest.raises(MachineError, match="outside of the space"):
            machine.read(space, address, count)
        with pytest.raises(MachineError, match="outside of the space"):
            machine.write(space, address, [0] * count)
    assert machine.read(space, 0, size).tolist() == words.tolist()


@pytest.mark.parametrize(
    ("space", "address", "words"),
    [
        (Space.WEIGHT, 5, [1, 61]),
        (Space.WEIGHT, 5, [2**32 - 61]),
        (Space.HOLDING, 0, [9, 3]),
        (Space.HOLDING, 1, [3]),
    ],
)
def test_words_that_a_space_cannot_hold_are_refused(space, address, words):
    machine = Machine(SMALL)
    with pytest.raises(MachineError, match="cannot hold"):
        machine.write(space, address, words)
    assert not machine._spaces[space].any()


def test_words_of_the_host_are_checked():
    with pytest.raises(UserError, match=r"words\[1\] must be an integer of 0 to 4294967295"):
        Machine(SMALL).write(Space.VECTOR, 0, [0, -1])
