"""The host protocol: packets of 32-bit words.

A packet is a header word, the length of the payload in words, and the payload. Where it ends is
told by what carries it: the last transfer of a stream, or a frame on a serial line
(`spec.framing`); the length is checked against that. The host sends one command at a time and
waits for its reply.

A reply has the type of its command plus `REPLY`, or `ERROR` and a code; it repeats the sequence
number. A command is checked in full before anything of it is executed, so a refused one leaves
the device as it was.

All words of a reply to STATUS or COUNTERS are of one cycle, however late they are taken. Counters
stand still while they are copied, two cycles a counter, and then catch up: nothing is lost.

Retries. When a reply is lost, the host sends the same command again, sequence number included.
The responder remembers the header of the previous packet if it changed the device (WRITE, RUN or
ABORT, executed); a packet with the same header is answered alike and not executed. Packets that
arrived damaged do not count as previous ones. A new command must therefore take another sequence
number than the one before it, and a host starts with IDENTIFY, which clears the memory.

Counters of the link, words of the reply to STATUS, stop at their largest. Those of faults that
cannot happen to what carries the packets stay 0.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence

from spec.config import ChipConfig
from spec.isa import (
    DESCRIPTOR_FIELDS,
    HOLDING_FIELDS,
    SCALARS,
    WORD_BITS,
    ErrorCode,
    Field,
    Space,
)

PACKET_MAGIC = 0x4F
"""Most significant byte of every header."""

REPLY = 0x80
"""Added to the type of a command in its reply."""

ERROR = 0xFF
"""Type of an error reply, which has no payload."""


def _widths(fields: Iterable[Field]) -> dict[str, int]:
    return {field.name: field.width for field in fields}


HEADER_FIELDS = (
    Field("code", 8, "error code in an error reply, else 0"),
    Field("sequence", 8, "number of the command, repeated by its reply"),
    Field(
        "type",
        8,
        f"of the command, plus `REPLY` = {REPLY:#x} in its reply; or `ERROR` = {ERROR:#x}",
    ),
    Field("magic", 8, f"{PACKET_MAGIC:#x}"),
)
"""Header word, least significant field first."""
HEADER = _widths(HEADER_FIELDS)

HEADER_WORDS = 2
"""Header and length."""

MAX_WORDS = 256
"""Most words that one READ or WRITE moves: a responder keeps a command until it has checked it."""


class Packet(enum.IntEnum):
    """Types of commands.

    Attributes
    ----------
    reply
        What the payload of the reply is.
    arguments
        Words that the payload of the command begins with.
    data
        What follows them.
    """

    reply: str
    arguments: tuple[str, ...]
    data: str

    def __new__(
        cls, value: int, reply: str = "", arguments: tuple[str, ...] = (), data: str = ""
    ) -> "Packet":
        member = int.__new__(cls, value)
        member._value_ = value
        member.reply, member.arguments, member.data = reply, arguments, data
        return member

    IDENTIFY = 0x01, "the identity"
    READ = 0x02, "the words", ("space", "address", f"count of 1 to {MAX_WORDS}")
    WRITE = 0x03, "empty, when all are written", ("space", "address"), f"1 to {MAX_WORDS} words"
    RUN = 0x04, "empty, when the program has started", ("number of the first instruction",)
    ABORT = 0x05, "empty, at once; STATUS says when the program has ended"
    STATUS = 0x06, "the status"
    COUNTERS = 0x07, "all counters, in the order of their numbers, 2 words each, low word first"


COMMANDS: dict[int, int] = {kind: len(kind.arguments) for kind in Packet}
"""Arguments of each command in words. Only WRITE has data after them."""

MAX_PAYLOAD = COMMANDS[Packet.WRITE] + MAX_WORDS
"""Longest payload of a command in words; replies may be longer."""

ADDRESSING = (Packet.READ, Packet.WRITE)
"""Commands that begin with space and address."""

CHANGING = (Packet.WRITE, Packet.RUN, Packet.ABORT)
"""Commands that change the device."""

PROTOCOL_VERSION = 1

IDENTITY_MAGIC = 0x4F484D55
"""Word that starts every identity: OHMU."""

GEOMETRY = (
    "rows",
    "columns",
    "tiles",
    "lanes",
    "vector_words",
    "program_words",
    "weight_words",
    "matrices",
)
"""Fields of the configuration that the identity spells out."""

IDENTITY = {
    "magic": f"{IDENTITY_MAGIC:#x}",
    "version": f"{PROTOCOL_VERSION}, of this protocol",
    "hash_low": "low word of the configuration's hash",
    "hash_high": "high word of that hash",
    **dict.fromkeys(GEOMETRY, "as in the configuration"),
}
"""Words of the reply to IDENTIFY."""

STATE_FIELDS = (
    Field("running", 1, "1 while a program runs"),
    Field("code", 8, "error code with which the last program ended"),
)
STATE = _widths(STATE_FIELDS)

LINE_COUNTERS = {
    "framing": "bytes without a stop bit",
    "breaks": "breaks of the line",
    "overruns": "packets that lost words because none could be taken",
}
"""Counters of what carries the packets."""

LINK_COUNTERS = {
    "packets": "packets received undamaged",
    "damaged": "packets received damaged",
    **LINE_COUNTERS,
}
"""Counters of the link, 32 bits each."""

STATUS = {
    "state": "whether a program runs, and how the last one ended",
    "position": "program counter, of where the last program ended if none runs",
    **LINK_COUNTERS,
}
"""Words of the reply to STATUS."""
STATUS_WORDS = len(STATUS)


def pack(layout: Mapping[str, int], **values: int) -> int:
    """Return the fields of a layout as one integer.

    Raises
    ------
    ValueError
        If a value does not fit its field.
    """
    word = at = 0
    for name, width in layout.items():
        if values[name] >> width:
            raise ValueError(f"{name} must fit {width} bits, not {values[name]!r}")
        word |= values[name] << at
        at += width
    return word


def unpack(layout: Mapping[str, int], word: int) -> dict[str, int]:
    """Return the fields of an integer by name."""
    fields = {}
    for name, width in layout.items():
        fields[name] = word & ((1 << width) - 1)
        word >>= width
    return fields


def packet(
    kind: int, sequence: int, payload: Sequence[int] = (), code: int = ErrorCode.NONE
) -> list[int]:
    """Return the words of a packet; each must be of 0 to 2**32 - 1."""
    header = pack(HEADER, code=code, sequence=sequence, type=kind, magic=PACKET_MAGIC)
    return [header, len(payload), *payload]


def identity(config: ChipConfig) -> list[int]:
    """Return the reply of a chip to IDENTIFY."""
    number = int(config.hardware, 16)
    values = {
        "magic": IDENTITY_MAGIC,
        "version": PROTOCOL_VERSION,
        "hash_low": number & ((1 << WORD_BITS) - 1),
        "hash_high": number >> WORD_BITS,
    }
    values |= {name: config.value(name) for name in GEOMETRY}
    return [values[name] for name in IDENTITY]


def space_words(config: ChipConfig, space: Space) -> int:
    """Return the size of a space in words of 32 bits."""
    return {
        Space.VECTOR: config.machine.vector_words,
        Space.PROGRAM: 2 * config.machine.program_words,
        Space.SCALAR: 2 * SCALARS,
        Space.WEIGHT: config.machine.weight_words,
        Space.DESCRIPTOR: len(DESCRIPTOR_FIELDS) * config.machine.matrices,
        Space.HOLDING: len(HOLDING_FIELDS) * config.machine.tiles,
    }[space]
