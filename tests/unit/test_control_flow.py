"""A program goes on where it should, for every order of operands, at their ends as well."""

import numpy as np
import pytest

from golden.machine.machine import Machine
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import SCALAR_RANGE, ErrorCode, Space
from tests.support.machines import LOSSLESS, scalar

LOW, HIGH = SCALAR_RANGE
PAIRS = [(0, 0), (0, 1), (1, 0), (-1, 0), (0, -1), (LOW, HIGH), (HIGH, LOW), (HIGH, HIGH - 1)]
CONDITIONS = {
    "BEQ": lambda a, b: a == b,
    "BNE": lambda a, b: a != b,
    "BLT": lambda a, b: a < b,
    "BGE": lambda a, b: a >= b,
}


def run(text: str, *scalars: int, steps: int = 40) -> Machine:
    """Run a program with s0, s1, ... set; one that does not end is aborted."""
    machine = Machine(LOSSLESS)
    machine.write(Space.PROGRAM, 0, np.array(assemble(text), "<u8").view("<u4"))
    machine.write(Space.SCALAR, 0, np.array(scalars, "<i8").view("<u4"))
    machine.start()
    for _ in range(steps):
        if machine.status.running:
            machine.step()
    assert not machine.status.running, "the program does not end"
    return machine


@pytest.mark.parametrize("mnemonic", CONDITIONS)
@pytest.mark.parametrize("pair", PAIRS)
def test_branches_compare_whole_scalars(mnemonic, pair):
    machine = run(f"{mnemonic} s0, s1, 2\nSET s2, 1\nADDI s3, s3, 1\nHALT", *pair)
    taken = CONDITIONS[mnemonic](*pair)
    assert (scalar(machine, 2), scalar(machine, 3)) == (not taken, 1)
    assert machine.status.pc == 3
    assert machine.chip_counters["instructions"] == (3 if taken else 4)


@pytest.mark.parametrize(
    ("count", "left", "taken"),
    [(3, 2, True), (2, 1, True), (1, 0, False), (0, 0, False), (-1, 0, False), (LOW, 0, False)],
)
def test_loops_count_down_to_zero_and_no_further(count, left, taken):
    machine = run("LOOP s0, 2\nSET s1, 1\nHALT", count)
    assert (scalar(machine, 0), scalar(machine, 1)) == (left, not taken)
    assert machine.chip_counters["saturations"] == 0


def test_programs_start_where_they_are_told():
    machine = Machine(LOSSLESS)
    text = "SET s0, 1\nADDI s1, s1, 5\nJUMP 3\nHALT"
    machine.write(Space.PROGRAM, 0, np.array(assemble(text), "<u8").view("<u4"))
    machine.start(1)
    while machine.status.running:
        machine.step()
    assert (scalar(machine, 0), scalar(machine, 1), machine.status.pc) == (0, 5, 3)


@pytest.mark.parametrize(
    ("a", "b", "total", "difference", "counted"),
    [
        (HIGH, 0, HIGH, HIGH, 0),
        (HIGH, 1, HIGH, HIGH - 1, 1),
        (LOW, 1, LOW + 1, LOW, 1),
        (LOW, -1, LOW, LOW + 1, 1),
        (-1, HIGH, HIGH - 1, LOW, 0),
        (0, LOW, LOW, HIGH, 1),
    ],
)
def test_sums_and_differences_at_the_ends_of_scalars(a, b, total, difference, counted):
    machine = run("ADD s2, s0, s1\nSUB s3, s0, s1\nHALT", a, b)
    assert (scalar(machine, 2), scalar(machine, 3)) == (total, difference)
    assert machine.chip_counters["saturations"] == counted


@pytest.mark.parametrize(
    ("value", "word", "counted"),
    [
        (2**31 - 1, 2**31 - 1, 0),
        (2**31, 2**31 - 1, 1),
        (-(2**31), -(2**31), 0),
        (-(2**31) - 1, -(2**31), 1),
    ],
)
def test_words_at_the_ends_of_what_the_memory_holds(value, word, counted):
    machine = run("STORE s0, s1, 5\nLOAD s2, s0, 5\nHALT", 0, value)
    assert scalar(machine, 2) == word
    assert machine.chip_counters["saturations"] == counted


def test_upper_halves_of_scalars_are_set_apart():
    machine = run("SETH s0, -2\nSETH s1, 0x7FFFFFFF\nSET s2, -3\nHALT", -1, 1 << 32 | 5, 7)
    assert [scalar(machine, n) for n in range(3)] == [-(1 << 32) - 1, 0x7FFFFFFF00000005, -3]


@pytest.mark.parametrize("text", ["STORE s0, s1, 1\nHALT", "LOAD s2, s0, 1\nHALT"])
def test_words_are_accessed_from_end_to_end_of_the_memory(text):
    last = LOSSLESS.machine.vector_words - 1
    for address in (0, last):
        assert run(text, address - 1).status.code is ErrorCode.NONE
    for address in (-1, last + 1, LOW + 1, HIGH):
        assert run(text, address - 1).status.code is ErrorCode.ADDRESS


def test_the_largest_address_is_a_word():
    """It lies beyond every program, which the machine finds when it fetches from there."""
    machine = Machine(LOSSLESS)
    machine.start((1 << 32) - 1)
    machine.step()
    assert machine.status.code == ErrorCode.PROGRAM_COUNTER
    with pytest.raises(UserError, match=f"address to start at must be .*, not {1 << 32}"):
        machine.start(1 << 32)
