"""Numbers that programs, hosts and devices in the field rely on, written down once more.

A change of one of these is a change of the interface: devices of before do not understand it.
"""

import pytest

from spec import framing, packet, registers
from spec.counters import CHIP_COUNTERS, COUNTER_BITS, LOOP_COUNTERS, NOT_COUNTED, TILE_COUNTERS
from spec.instruction import Instruction
from spec.isa import (
    DESCRIPTOR_FIELDS,
    HOLDING_FIELDS,
    INSTRUCTION_FIELDS,
    OPERATIONS,
    RIGHT_SHIFTS,
    SCALAR_BITS,
    SCALAR_RANGE,
    SCALARS,
    SHIFTS,
    WORD_BITS,
    WORD_RANGE,
    ErrorCode,
    Immediate,
    Opcode,
    Space,
)
from spec.packet import Packet, pack, unpack

ERROR_CODES = {
    "NONE": 0,
    "PROGRAM_COUNTER": 1,
    "ILLEGAL": 2,
    "OPERAND": 3,
    "MATRIX": 4,
    "ADDRESS": 5,
    "OVERLAP": 6,
    "WEIGHTS": 7,
    "UNSETTLED": 8,
    "ABORTED": 16,
    "BUSY": 32,
    "TYPE": 33,
    "SPACE": 34,
    "RANGE": 35,
    "VALUE": 36,
    "LENGTH": 37,
    "HEADER": 38,
    "CRC": 39,
}
SPACES = ["VECTOR", "PROGRAM", "SCALAR", "WEIGHT", "DESCRIPTOR", "HOLDING"]
PACKETS = ["IDENTIFY", "READ", "WRITE", "RUN", "ABORT", "STATUS", "COUNTERS"]

# Number, fields in use in the order of the assembler, and cycles: of all, and a beat of lanes.
OPCODES = {
    "HALT": (0x01, "", 4, 0),
    "JUMP": (0x02, "i", 4, 0),
    "BEQ": (0x03, "abi", 4, 0),
    "BNE": (0x04, "abi", 4, 0),
    "BLT": (0x05, "abi", 4, 0),
    "BGE": (0x06, "abi", 4, 0),
    "LOOP": (0x07, "di", 4, 0),
    "SET": (0x10, "di", 4, 0),
    "SETH": (0x11, "di", 4, 0),
    "ADD": (0x12, "dab", 4, 0),
    "SUB": (0x13, "dab", 4, 0),
    "ADDI": (0x14, "dai", 4, 0),
    "LOAD": (0x15, "dai", 5, 0),
    "STORE": (0x16, "abi", 4, 0),
    "VADD": (0x20, "dabn", 15, 2),
    "VSUB": (0x21, "dabn", 15, 2),
    "VMAX": (0x22, "dabn", 15, 2),
    "VSHIFT": (0x23, "dacn", 15, 1),
    "VSCALE": (0x24, "dabcn", 15, 1),
    "VCLAMP": (0x25, "dabcn", 15, 1),
    "VRELU": (0x26, "dan", 15, 1),
    "VMAXMAG": (0x27, "dan", 15, 1),
    "VDOT": (0x28, "dabn", 15, 2),
    "STEP": (0x30, "ai", 4, 0),
    "MVM": (0x31, "dacni", 4, 0),
    "MVM_T": (0x32, "dacni", 4, 0),
    "INV": (0x33, "dabcni", 4, 0),
}


def test_codes_of_errors():
    assert {code.name: code.value for code in ErrorCode} == ERROR_CODES
    assert {*ErrorCode.__members__} == {*ERROR_CODES}


def test_numbers_of_spaces_and_packets():
    assert {space.name: space.value for space in Space} == {s: i for i, s in enumerate(SPACES)}
    assert {kind.name: kind.value for kind in Packet} == {p: i for i, p in enumerate(PACKETS, 1)}
    assert {*Packet.__members__} == {*PACKETS}
    assert [len(kind.arguments) for kind in Packet] == [0, 3, 2, 1, 0, 0, 0]


def test_opcodes_and_their_operands():
    assert {*Opcode.__members__} == {*OPCODES}
    for name, (number, fields, base, beat) in OPCODES.items():
        opcode, operation = Opcode[name], OPERATIONS[Opcode[name]]
        immediate = "i" * (operation.immediate is not Immediate.NONE)
        assert (int(opcode), operation.scalars + immediate) == (number, fields)
        if opcode not in (Opcode.MVM, Opcode.MVM_T, Opcode.INV):
            assert (operation.base_cycles, operation.beat_cycles) == (base, beat)


def test_fields_of_an_instruction():
    assert {field.name: (field.width, field.signed) for field in INSTRUCTION_FIELDS} == {
        "immediate": (32, True),
        **dict.fromkeys("ncbad", (4, False)),
        "zero": (4, False),
        "opcode": (8, False),
    }
    places = {"immediate": 0, "n": 32, "c": 36, "b": 40, "a": 44, "d": 48}
    for name, place in places.items():
        assert Instruction(Opcode.HALT, **{name: 1}).encode() == 0x01 << 56 | 1 << place


def test_items_of_the_memories():
    assert [(field.name, *field.range) for field in (*DESCRIPTOR_FIELDS, *HOLDING_FIELDS)] == [
        (name, 0, 0xFFFFFFFF) for name in ("rows", "columns", "weights", "tile", "block", "matrix")
    ]


def test_widths_and_ranges():
    assert (SCALARS, SCALAR_BITS, WORD_BITS, COUNTER_BITS) == (16, 64, 32, 64)
    assert WORD_RANGE == (-0x80000000, 0x7FFFFFFF)
    assert SCALAR_RANGE == (-0x8000000000000000, 0x7FFFFFFFFFFFFFFF)
    assert NOT_COUNTED == 0xFFFFFFFFFFFFFFFF
    assert (RIGHT_SHIFTS, SHIFTS) == ((0, 63), (-31, 63))


def test_headers_and_lengths_of_packets():
    assert packet.packet(Packet.READ, 0x12, [3, 4, 5]) == [0x4F021200, 3, 3, 4, 5]
    assert packet.packet(packet.ERROR, 0xFF, code=ErrorCode.CRC) == [0x4FFFFF27, 0]
    assert packet.HEADER == {"code": 8, "sequence": 8, "type": 8, "magic": 8}
    assert packet.STATE == {"running": 1, "code": 8}
    assert (packet.REPLY, packet.HEADER_WORDS, packet.MAX_WORDS) == (0x80, 2, 256)
    assert (packet.MAX_PAYLOAD, packet.PROTOCOL_VERSION) == (258, 1)
    assert packet.IDENTITY_MAGIC.to_bytes(4) == b"OHMU"
    assert packet.STATUS_WORDS == 7


def test_fields_are_packed_side_by_side():
    layout = {"low": 1, "middle": 8, "high": 3}
    for values in ((1, 0, 0), (0, 255, 0), (0, 0, 7), (1, 0x5A, 5), (0, 0, 0)):
        fields = dict(zip(layout, values, strict=True))
        word = values[0] | values[1] << 1 | values[2] << 9
        assert pack(layout, **fields) == word
        assert unpack(layout, word) == unpack(layout, word | 1 << 12) == fields
    for name, value in {"low": 2, "middle": 256, "high": 8}.items():
        with pytest.raises(ValueError, match=f"{name} must fit {layout[name]} bits, not {value}"):
            pack(layout, **dict.fromkeys(layout, 0) | {name: value})


def test_frames_on_a_line():
    assert (framing.FLAG, framing.ESCAPE, framing.STUFFED) == (0x7E, 0x7D, 0x20)
    assert (framing.WORD_BYTES, framing.BAUD) == (4, 1_000_000)


def test_addresses_of_registers():
    identity = [
        *("magic", "version", "hash_low", "hash_high", "rows", "columns", "tiles", "lanes"),
        *("vector_words", "program_words", "weight_words", "matrices"),
    ]
    state = ["control", "position", "packets", "damaged", "framing", "breaks", "overruns"]
    assert {name: registers.address(name) for name in registers.FIXED_REGISTERS} == {
        name: 4 * i for i, name in enumerate([*identity, *state])
    }
    assert (registers.COUNTER_BASE, registers.CONTROL) == (0x100, {"abort": 1})
    writable = {name for name, each in registers.FIXED_REGISTERS.items() if each.writable}
    assert writable == {"control"}


def test_counters_and_which_of_them_depend_on_time():
    assert {counter.name: counter.timed for counter in CHIP_COUNTERS} == {
        "cycles": True,
        "busy_cycles": True,
        "instructions": False,
        "saturations": False,
        "input_clips": False,
        "reprograms": False,
    }
    assert {counter.name: counter.timed for counter in TILE_COUNTERS} == {
        "cycles": True,
        "drives": False,
        "conversions": False,
        "adc_cycles": True,
        "clips_high": False,
        "clips_low": False,
        "saturations": False,
        "reads": False,
        "pulses": False,
        "failures": False,
    }
    assert {counter.name: counter.timed for counter in LOOP_COUNTERS} == {
        "settles": False,
        "loop_cycles": True,
        "sense_cycles": True,
    }
