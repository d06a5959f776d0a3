"""INV on the machine of the model: what it answers, what it counts, and how it ends."""

import numpy as np
import pytest

from golden.inverse.answer import answer
from golden.machine.machine import Machine
from golden.tile.analog import Analog
from spec.isa import ANSWER_WORDS, ErrorCode, MachineError, Space
from tests.support.machines import (
    LOOPS,
    OPERANDS,
    machine_with,
    set_matrix,
    vector,
)

WEIGHTS = np.array([[40, 8, -16], [0, 48, 8], [16, -8, 56]])
FEEDBACK = [16, 0, 9, 100]
SIDES = np.array([[900, -70, 3], [-(2**31), 2**31 - 1, 12345]])
STEP = 9


def solving(config=LOOPS, **operands: int) -> Machine:
    """Return a machine that is about to solve for two sides at once."""
    given = {"d": 100, "a": 0, "b": 50, "c": STEP, "n": 2} | operands
    program = OPERANDS.format(**given) + "INV s0, s1, s2, s3, s4, 1\nHALT"
    machine = machine_with(program, config, v0=SIDES.ravel().tolist(), v50=FEEDBACK)
    set_matrix(machine, 1, WEIGHTS, tile=1)
    return machine


def ended(machine: Machine) -> ErrorCode:
    with pytest.raises(MachineError) as caught:
        machine.run()
    return caught.value.code


def test_answers_are_those_of_the_loop_around_the_top_slice():
    machine = solving()
    machine.run()
    length = len(WEIGHTS) + ANSWER_WORDS
    words = np.array(vector(machine, 100, 2 * length)).reshape(2, -1)
    analog = Analog.programmed(machine.tiles[1].analog.config, np.pad(WEIGHTS, [(0, 1), (0, 1)]))
    loop = analog.inversion
    loop.feed(FEEDBACK)
    step, conversions = STEP, 0
    for side, found in zip(SIDES, words, strict=True):
        expected = answer(loop, side, step)
        step, conversions = expected.step, conversions + expected.rounds * LOOPS.array.rows
        assert found.tolist() == [*expected.codes, expected.exponent, step, 0]
        # Of the array only, since the others hold what is below a level.
        assert np.array_equal(
            np.rint(loop.weights[:3, :3] - np.diag(FEEDBACK[:3]) / 16), WEIGHTS // 8
        )
        x = np.ldexp(expected.codes, expected.exponent)
        off = loop.weights[:3, :3] @ x - side
        assert np.linalg.norm(off) < 0.05 * np.linalg.norm(side)
    counters = machine.tile_counters[1]
    assert (counters["settles"], counters["conversions"]) == (2, conversions)
    assert counters["drives"] == machine.tile_counters[0]["settles"] == 0


def test_feedback_codes_out_of_range_are_clamped_and_counted():
    config = LOOPS.replace(feedback_bits=7)
    machine, top = solving(config), 127
    machine.write(Space.VECTOR, 50, [2**32 - 1, top + 1, top, 100])
    machine.run()
    assert machine.tiles[1].analog.inversion.feedback.tolist() == [0, top, top, 100]
    assert machine.chip_counters["input_clips"] == 2


@pytest.mark.parametrize(
    ("operands", "code"),
    [
        ({"c": -1}, ErrorCode.OPERAND),
        ({"c": LOOPS.inversion.inv_steps}, ErrorCode.OPERAND),
        ({"n": -1}, ErrorCode.ADDRESS),
        ({"a": 251}, ErrorCode.ADDRESS),
        ({"b": 253}, ErrorCode.ADDRESS),
        ({"d": 245}, ErrorCode.ADDRESS),
        ({"d": 5}, ErrorCode.OVERLAP),
        ({"d": 0}, ErrorCode.OVERLAP),
        ({"d": 53}, ErrorCode.OVERLAP),
        ({"d": 39}, ErrorCode.OVERLAP),
        ({"c": -1, "d": 5, "n": -1}, ErrorCode.OPERAND),
    ],
)
def test_operands_out_of_range_change_nothing(operands, code):
    machine = solving(**operands)
    before = machine.memories.vector.copy()
    assert ended(machine) is code
    assert np.array_equal(machine.memories.vector, before)
    assert not machine.memories.holdings.any()
    assert machine.chip_counters["reprograms"] == 0


@pytest.mark.parametrize("operands", [{"d": 6}, {"d": 38}, {"d": 54}, {"n": 0, "d": 51}])
def test_vectors_may_touch(operands):
    solving(**operands).run()


@pytest.mark.parametrize("shape", [(5, 5), (3, 2), (2, 3), (0, 0)])
def test_matrices_that_no_array_can_be_are_refused(shape):
    machine = solving()
    machine.write(Space.DESCRIPTOR, 4, [*shape, 0, 1])
    assert ended(machine) is ErrorCode.MATRIX


def test_weights_outside_of_the_memory_are_refused_unless_a_tile_holds_them():
    machine = solving()
    machine.write(Space.DESCRIPTOR, 4, [3, 3, LOOPS.machine.weight_words - 8, 1])
    assert ended(machine) is ErrorCode.WEIGHTS
    machine.write(Space.HOLDING, 2, [0, 2])
    # Cells that were never programmed are no loop without feedback.
    machine.write(Space.VECTOR, 50, [100] * 4)
    machine.run()


def test_a_chip_without_loops_does_not_know_it():
    assert ended(solving(LOOPS.replace(invertible=False))) is ErrorCode.ILLEGAL


def test_a_loop_that_does_not_settle_is_an_error_with_the_tile_programmed():
    machine = solving()
    set_matrix(machine, 1, -WEIGHTS, tile=1)
    machine.write(Space.VECTOR, 50, [0, 0, 0, 100])
    before = machine.memories.vector.copy()
    assert ended(machine) is ErrorCode.UNSETTLED
    assert np.array_equal(machine.memories.vector, before)
    assert machine.chip_counters["reprograms"] == 1
    assert machine.memories.holdings[1].tolist() == [0, 2]
    assert machine.chip_counters["instructions"] == 5


def test_noise_goes_on_when_the_feedback_changes():
    """No two samples of a tile see the same draws."""
    config = LOOPS.replace(amplifier_noise_v=1e-2, loop_program_error=0.0)
    machine = solving(config)
    loop = machine.tiles[1].analog.inversion
    codes = np.ones((1, 4), np.int64)
    samples = []
    for feedback in (50, 60, 50):
        loop.feed([feedback] * 4)
        samples.append(loop.hold(codes).values)
    assert not np.array_equal(samples[0], samples[2])
