"""Assembler, compiler and responder accept what is at their ends, and refuse what is beyond."""

import dataclasses

import numpy as np
import pytest

from golden.link.responder import Responder
from golden.machine.machine import Machine
from ohmulator.compiler.matrix import compile_matrix
from ohmulator.compiler.product import load, multiply
from spec.assembly import AssemblyError, assemble, describe, disassemble
from spec.errors import UserError
from spec.instruction import Instruction
from spec.isa import ErrorCode, MachineError, Opcode, Space
from spec.packet import COMMANDS, ERROR, MAX_WORDS, REPLY, Packet, packet
from tests.support.machines import LOSSLESS

TOP = (1 << 32) - 1


@pytest.mark.parametrize("length", [100, 101])
@pytest.mark.parametrize("kind", ["number", "name"])
def test_names_and_numbers_have_at_most_a_hundred_characters(length, kind):
    text = "0" * (length - 1) + "1" if kind == "number" else "x" * length
    program = f"  {text} = 1\nSET s0, {text}" if kind == "name" else f"SET s0, {text}"
    if length == 100:
        assert assemble(program) == [Instruction(Opcode.SET, immediate=1).encode()]
        return
    at = "line 1, column 3" if kind == "name" else "line 1, column 9"
    wanted = f"{at}: a {kind} of 101 characters is too long: write at most 100"
    with pytest.raises(AssemblyError, match=wanted):
        assemble(program)


def test_numbers_reach_to_the_ends_of_their_fields():
    for value in (-(1 << 31), (1 << 31) - 1):
        assert assemble(f"SET s15, {value}") == [
            Instruction(Opcode.SET, d=15, immediate=value).encode()
        ]
    for value in (0, (1 << 64) - 1):
        assert assemble(f".word {value}") == [value]
    for text in (f"SET s0, {-(1 << 31) - 1}", f"SET s0, {1 << 31}", ".word -1", f".word {1 << 64}"):
        with pytest.raises(AssemblyError, match="is not in the range"):
            assemble(text)


def test_sums_have_signs_of_any_number():
    text = "SET s0, 1 + 2 - 3 + +4 - -5 - +6\nSET s1, -1\nSET s2, - -7\nSET s3, 1--1"
    found = [Instruction.decode(word).immediate for word in assemble(text)]
    assert found == [3, -1, 7, 2]
    for text, column in [("SET s0, 1 +\n", 12), ("SET s0,", 8), ("SET s0, -", 10)]:
        with pytest.raises(AssemblyError, match=f"column {column}: expected a value before"):
            assemble(text)


def test_labels_may_stand_alone_and_in_rows():
    words = assemble("JUMP b\na:\nb: c: HALT\nJUMP a\nJUMP c\nd:\nJUMP d")
    targets = [Instruction.decode(word).immediate for word in words]
    assert targets == [1, 0, 1, 1, 4]


def test_targets_are_named_where_they_are_instructions():
    text = "        JUMP L1\nL1:     JUMP 2\n"
    assert disassemble(assemble("JUMP 1\nJUMP 2")) == text
    assert disassemble(assemble("JUMP -1")) == "        JUMP -1\n"
    assert disassemble([5]) == "        .word 0x0000000000000005\n"
    assert disassemble([]) == ""
    assert describe(Instruction(Opcode.SET, immediate=1), {1}) == "SET s0, 1"
    assert describe(Instruction(Opcode.BNE, a=1, b=2, immediate=1), {1}) == "BNE s1, s2, L1"


def compiled(rows=3, columns=2, **arguments):
    return compile_matrix(LOSSLESS, np.ones((rows, columns), int), **arguments)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("shift", 0, 63), ("matrix", 0, 1), ("tile", 0, 2), ("address", 0, 256), ("start", 0, 48)],
)
def test_arguments_of_the_compiler_reach_to_their_ends(name, low, high):
    for value in (low, high):
        try:
            assert getattr(compiled(**{name: value}), name, value) == value
        except UserError as error:
            assert "must be" not in str(error)
    for value in (low - 1, high + 1):
        with pytest.raises(UserError, match=f"^{name} must be an integer of {low} to {high}"):
            compiled(**{name: value})


def test_memories_are_filled_to_their_last_word():
    machine = LOSSLESS.machine
    assert (machine.vector_words, machine.weight_words, machine.program_words) == (128, 256, 48)
    assert [compiled(rows, 2).batch for rows in (126, 63, 62)] == [1, 1, 2]
    with pytest.raises(UserError, match=r"of 128: raise vector_words to 256$"):
        compiled(127, 2)
    with pytest.raises(UserError, match=r"of 128: raise vector_words to 256$"):
        compiled(254, 2)
    with pytest.raises(UserError, match=r"of 128: raise vector_words to 512$"):
        compiled(255, 2)
    assert compiled(address=250).writes[1][1] == 250
    with pytest.raises(UserError, match=r"of 256 from 251 on: raise weight_words to 257$"):
        compiled(address=251)
    length = len(compiled().writes[0][2]) // 2
    last = compiled(start=48 - length)
    assert last.writes[0][1] == 2 * (48 - length)
    assert len(last.writes[0][2]) == 2 * length
    with pytest.raises(UserError, match=r"of 48 from .* on: raise program_words to 49$"):
        compiled(start=49 - length)
    with pytest.raises(UserError, match="weight_words cannot be raised to 33554432, so use a"):
        compile_matrix(
            LOSSLESS.replace(vector_words=1 << 16), np.zeros((1 << 15, 1 << 10), np.int8)
        )


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("count", [0, 1, 12, 25, 26, 51])
def test_vectors_go_in_batches_that_fill_the_memory(count, transposed):
    """There are 25 vectors of three words, with results of two."""
    weights = np.arange(6).reshape(3, 2) - 2
    program = compile_matrix(LOSSLESS, weights, matrix=1, tile=2, address=7, start=5)
    assert program.batch == 25
    machine = Machine(LOSSLESS)
    load(machine, program)
    matrix = weights.T if transposed else weights
    vectors = np.random.default_rng(0).integers(-8, 8, (count, len(matrix)))
    found = multiply(machine, program, vectors, transposed=transposed)
    np.testing.assert_array_equal(found, vectors @ matrix)
    assert machine.read(Space.DESCRIPTOR, 4, 4).tolist() == [3, 2, 7, 2]


def test_matrices_that_are_set_need_a_tile_for_each_block():
    """Tiles have 3 x 2 weights."""
    seen = []
    for columns, blocks in [(6, 3), (7, 4)]:
        program = compiled(3, columns, tile=1)
        if blocks <= 3:
            machine = Machine(LOSSLESS)
            load(machine, program, lambda tile, weights: seen.append((tile, weights.tolist())))
            held = machine.read(Space.HOLDING, 0, 6).tolist()
            assert held == [2, 1, 0, 1, 1, 1]
        else:
            with pytest.raises(UserError, match=r"of 4 blocks .* on 3 tiles: raise tiles to 4, or"):
                load(Machine(LOSSLESS), program, lambda tile, weights: None)
    assert seen == [(tile, [[1, 1]] * 3) for tile in (1, 2, 0)]


class Recorder:
    """A device that keeps what it is asked for."""

    def __init__(self):
        self.calls = []
        self.status = dataclasses.make_dataclass("S", ["running", "code", "pc"])(1, 0x5A, TOP)

    def read(self, space, address, count):
        self.calls.append(("read", space, address, count))
        return range(count)

    def write(self, space, address, words):
        self.calls.append(("write", space, address, len(words)))

    def start(self, pc):
        self.calls.append(("start", pc))
        if pc == 7:
            raise MachineError(ErrorCode.BUSY)

    def abort(self):
        self.calls.append(("abort",))

    def counters(self):
        return [(1 << 64) - 1, 5, 6 << 32]


def test_commands_are_as_long_as_they_need():
    device = Recorder()
    responder = Responder(device, [1, 2])
    lengths = {kind: count for kind, count in COMMANDS.items() if kind != Packet.WRITE}
    for kind, count in lengths.items():
        for length in range(max(0, count - 1), count + 2):
            # Another number each time: with the same one it would be a copy.
            reply = responder.respond(packet(kind, length, [1] * length))
            wanted = (REPLY + kind) if length == count else ERROR
            assert reply[0] >> 16 & 0xFF == wanted
            assert reply[0] & 0xFF == (0 if length == count else ErrorCode.LENGTH)
    for words, code in [(0, ErrorCode.LENGTH), (1, 0), (MAX_WORDS, 0), (257, ErrorCode.LENGTH)]:
        command = packet(Packet.WRITE, words % 2, [0, 9, *[3] * words])
        assert responder.respond(command)[0] & 0xFF == code
        reply = responder.respond(packet(Packet.READ, 3, [5, TOP, words]))
        assert reply[0] & 0xFF == code
        assert reply[2:] == ([] if code else [*range(words)])
    reads = [call for call in device.calls if call[0] == "read"]
    assert reads[-1] == ("read", Space.HOLDING, TOP, MAX_WORDS)
    assert responder.respond(packet(Packet.READ, 4, [6, 0, 1]))[0] & 0xFF == ErrorCode.SPACE
    assert responder.respond(packet(0, 5))[0] & 0xFF == ErrorCode.TYPE
    assert responder.respond(packet(8, 5))[0] & 0xFF == ErrorCode.TYPE


def test_replies_hold_state_and_counters_in_words():
    responder = Responder(Recorder(), [1, 2])
    assert responder.respond(packet(Packet.COUNTERS, 1))[2:] == [TOP, TOP, 5, 0, 0, 6]
    assert responder.respond(packet(Packet.STATUS, 2))[2:] == [1 | 0x5A << 1, TOP, 2, 0, 0, 0, 0]
    responder.respond([0], damaged=True)
    assert responder.respond(packet(Packet.STATUS, 3))[4:6] == [3, 1]
    responder.link["packets"] = responder.link["damaged"] = TOP - 1
    for _ in range(2):
        responder.respond([0], damaged=True)
        reply = responder.respond(packet(Packet.STATUS, 4))
        assert reply[4:6] == [TOP, TOP]


def test_what_changed_the_device_is_not_done_twice():
    device = Recorder()
    responder = Responder(device, [1])
    run, write = packet(Packet.RUN, 1, [3]), packet(Packet.WRITE, 1, [0, 0, 1])
    for command in (run, run, write, write, write, run, packet(Packet.IDENTIFY, 9), run):
        responder.respond(command)
    assert [call[0] for call in device.calls] == ["start", "write", "start", "start"]
    # One that was refused, or did not arrive whole, was not done.
    refused = packet(Packet.RUN, 2, [7])
    assert responder.respond(refused)[0] & 0xFF == ErrorCode.BUSY
    assert responder.respond(refused)[0] & 0xFF == ErrorCode.BUSY
    abort = packet(Packet.ABORT, 3)
    for damaged in (True, False, True, False):
        responder.respond(abort, damaged=damaged)
    assert [call[0] for call in device.calls[4:]] == ["start", "start", "abort"]
    read = packet(Packet.READ, 4, [0, 0, 1])
    responder.respond(read), responder.respond(read)
    assert [call[0] for call in device.calls[7:]] == ["read", "read"]


def test_packets_that_are_none_are_told_first():
    responder = Responder(Recorder(), [1])
    for words, code in [
        ([0x4E010000, 0], ErrorCode.HEADER),
        ([0x4F010001, 0], ErrorCode.HEADER),
        ([0x4F010000], ErrorCode.LENGTH),
        ([0x4F010000, 1], ErrorCode.LENGTH),
        ([0x4F030000, 258, 0, 0, *[0] * 256], ErrorCode.NONE),
        ([0x4F030000, 259, 0, 0, *[0] * 257], ErrorCode.LENGTH),
    ]:
        assert responder.respond(words)[0] & 0xFF == code
    with pytest.raises(UserError, match="a packet has at least one word"):
        responder.respond([])
    for word in (-1, TOP + 1):
        with pytest.raises(UserError, match=r"words.*must be an integer of 0 to 4294967295"):
            responder.respond([word])
