"""The machine: what instructions do to it, how it stops, and what the host may do."""

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings

from golden.machine.effects import Status
from golden.machine.machine import Machine
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import (
    ErrorCode,
    MachineError,
    Opcode,
    Space,
)
from spec.packet import space_words
from tests.support.machines import (
    LOOPS,
    OPERANDS,
    SMALL,
    machine_with,
    scalar,
    set_matrix,
    state,
    vector,
)
from tests.support.programs import scenarios, trace


@given(scenarios(SMALL))
@settings(deadline=None)
def test_effects_are_all_that_happens(scenario):
    machine = Machine(SMALL)
    for write in scenario.writes():
        machine.write(*write)
    before = state(machine)
    words = machine.memories.vector.copy()
    scalars = machine.memories.scalars.copy()
    chip = dict(machine.chip_counters)
    for effects in trace(machine, 100):
        after = state(machine)
        for address, values in effects.words:
            words[address : address + len(values)] = values
        for number, value in effects.scalars.items():
            scalars[number] = value
        for name, amount in effects.counters.get(None, {}).items():
            chip[name] += amount
        assert words.tolist() == machine.memories.vector.tolist()
        assert scalars.tolist() == machine.memories.scalars.tolist()
        assert chip == machine.chip_counters
        if effects.code is not ErrorCode.NONE:
            assert after == before
        before = after
    assert not machine.status.running


@pytest.mark.slow
@pytest.mark.parametrize("opcode", Opcode)
def test_random_programs_reach_every_opcode(opcode):
    config = LOOPS if opcode is Opcode.INV else SMALL

    def reached(scenario):
        machine = Machine(config)
        for write in scenario.writes():
            machine.write(*write)
        return any(
            effects.instruction
            and effects.instruction.opcode is opcode
            and effects.code is ErrorCode.NONE
            for effects in trace(machine, 100)
        )

    quick = settings(deadline=None, phases=[hypothesis.Phase.generate], max_examples=1000)
    hypothesis.find(scenarios(config), reached, settings=quick)


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
    assert not machine.memories.spaces[space].any()


def test_words_of_the_host_are_checked():
    with pytest.raises(UserError, match=r"words\[1\] must be an integer of 0 to 4294967295"):
        Machine(SMALL).write(Space.VECTOR, 0, [0, -1])
