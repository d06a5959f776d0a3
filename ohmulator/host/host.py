"""One API to a chip, be it a model, a simulation or a board.

    with Host(carrier, config) as host:
        host.write(Space.VECTOR, 0, vector)
        host.run()
        result = host.read(Space.VECTOR, 64, 64)

Commands are sent again when a reply is late or anything arrived damaged; the sequence number
keeps the chip from executing one twice, see `spec.packet`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ohmulator.host.carrier import Carrier
from ohmulator.host.errors import LinkError, MismatchError, ProgramError, RefusedError
from spec.config import ChipConfig
from spec.errors import require
from spec.isa import (
    CHIP_COUNTERS,
    NOT_COUNTED,
    TILE_COUNTERS,
    WORD_BITS,
    WORD_RANGE,
    ErrorCode,
    Space,
)
from spec.packet import (
    ERROR,
    GEOMETRY,
    HEADER,
    HEADER_WORDS,
    IDENTITY,
    IDENTITY_MAGIC,
    LINK_COUNTERS,
    MAX_WORDS,
    PACKET_MAGIC,
    PROTOCOL_VERSION,
    REPLY,
    STATE,
    STATUS_WORDS,
    Packet,
    identity,
    packet,
    unpack,
)

SEQUENCES = 1 << HEADER["sequence"]
ABORT_S = 10.0
"""Time in seconds for a program to stop when aborted: no instruction takes as long."""

MAX_STRAYS = 16
"""Replies to earlier commands that are passed over while waiting for one."""


@dataclass(frozen=True)
class ChipStatus:
    """State of a chip.

    Attributes
    ----------
    running
        Whether a program runs.
    code, pc
        Why and where the last one ended.
    link
        Counters of the link, see `spec.packet.LINK_COUNTERS`.
    """

    running: bool
    code: ErrorCode
    pc: int
    link: dict[str, int]


class Host:
    """A chip behind a carrier. Identified, and refused if it is another, before anything else.

    Parameters
    ----------
    carrier
        What takes packets to it.
    config
        What it must be.
    timeout_s
        Silence in seconds after which a command is sent again.
    retries
        How often it is.

    Raises
    ------
    MismatchError
        If the chip was made from another configuration or speaks another protocol.
    LinkError
        From here and every method: no good reply came.
    """

    def __init__(
        self, carrier: Carrier, config: ChipConfig, *, timeout_s: float = 1.0, retries: int = 4
    ):
        self._carrier, self._config = carrier, config
        self._timeout_s, self._retries = timeout_s, retries
        self._sequence = 0
        self.identify()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the chip."""
        self._carrier.close()

    def identify(self) -> dict[str, int]:
        """Return what the chip says it is, by the names of `spec.packet.IDENTITY`.

        Raises
        ------
        MismatchError
            If that is not what the configuration says.
        """
        words = self._ask(Packet.IDENTIFY)
        if words[:1] != [IDENTITY_MAGIC]:
            raise MismatchError(
                f"what answers is no Ohmulator chip: its identity starts with "
                f"{words[0] if words else 0:#010x} instead of {IDENTITY_MAGIC:#010x}"
            )
        if words[1:2] != [PROTOCOL_VERSION] or len(words) != len(IDENTITY):
            raise MismatchError(
                f"the chip speaks version {words[1] if words[1:] else 0} of the protocol and this "
                f"host version {PROTOCOL_VERSION}: use the release that the chip was made with"
            )
        found = dict(zip(IDENTITY, words, strict=True))
        local = dict(zip(IDENTITY, identity(self._config), strict=True))
        for name in GEOMETRY:
            if found[name] != local[name]:
                raise MismatchError(
                    f"the chip has {name} = {found[name]} and the configuration "
                    f"{local[name]}: give the configuration that the chip was made from"
                )
        if found != local:
            number = found["hash_high"] << WORD_BITS | found["hash_low"]
            raise MismatchError(
                f"the chip has the hardware {number:016x}, and the configuration "
                f"{self._config.hardware}: give the configuration that the chip was made from"
            )
        return found

    def write(self, space: Space, address: int, words: ArrayLike) -> None:
        """Write words of 32 bits, signed or unsigned, from an address on.

        They go `MAX_WORDS` at a time; when a part is refused, those before it are written.

        Raises
        ------
        UserError
            If the words are not integers of 32 bits.
        RefusedError
            If a program runs, or the space has no such words or cannot hold them.
        """
        values = np.asarray(words)
        require(
            values.ndim == 1 and (values.dtype.kind in "iu" or values.size == 0),
            f"words must be a list of integers, not {values.dtype} of shape {values.shape}",
        )
        low, high = WORD_RANGE[0], (1 << WORD_BITS) - 1
        outside = values[(values < low) | (values > high)]
        require(
            outside.size == 0,
            f"words must be integers of {low} to {high}, not {outside[0] if outside.size else 0}",
        )
        for at in range(0, len(values), MAX_WORDS):
            part = [int(value) % (1 << WORD_BITS) for value in values[at : at + MAX_WORDS]]
            self._ask(Packet.WRITE, self._place(space, address + at) + part)

    def read(self, space: Space, address: int, count: int) -> NDArray[np.uint32]:
        """Return `count` words of 32 bits from an address on; `.view(np.int32)` signs them.

        Raises
        ------
        RefusedError
            If a program runs, or the space has no such words.
        """
        words: list[int] = []
        while len(words) < count:
            part = min(count - len(words), MAX_WORDS)
            place = self._place(space, address + len(words))
            words += self._ask(Packet.READ, [*place, part], part)
        return np.array(words, np.uint32)

    def start(self, pc: int = 0) -> None:
        """Start the program at instruction `pc`.

        Raises
        ------
        RefusedError
            If a program runs.
        """
        require(0 <= pc < 1 << WORD_BITS, f"pc must be an integer of 32 bits, not {pc}")
        self._ask(Packet.RUN, [pc])

    def run(self, pc: int = 0, timeout_s: float | None = None) -> None:
        """Run the program at instruction `pc` to its end.

        It is aborted if this call is interrupted, or if it still runs after `timeout_s` seconds.

        Raises
        ------
        ProgramError
            If it ends otherwise than by HALT.
        RefusedError
            If a program runs already.
        """
        self.start(pc)
        ended = False
        try:
            ended = self._wait(timeout_s)
        finally:
            if not ended:
                self.abort()
        status = self.status()
        if status.code is not ErrorCode.NONE:
            raise ProgramError(status.code, status.pc)

    def abort(self) -> None:
        """Stop the program, if one runs, and wait until it has stopped.

        Raises
        ------
        LinkError
            If it does not stop.
        """
        self._ask(Packet.ABORT)
        if not self._wait(ABORT_S):
            raise LinkError("the program did not stop when aborted: reset the chip")

    def status(self) -> ChipStatus:
        """Return the state of the chip and of the link to it."""
        state, pc, *link = self._ask(Packet.STATUS, expected=STATUS_WORDS)
        fields = unpack(STATE, state)
        counters = dict(zip(LINK_COUNTERS, link, strict=True))
        return ChipStatus(bool(fields["running"]), ErrorCode(fields["code"]), pc, counters)

    def counters(self) -> dict[str, int]:
        """Return the performance counters: those of the chip, and of its tiles as `tile0.drives`.

        Those that this chip does not have are left out: a model has no cycles.
        """
        names = [counter.name for counter in CHIP_COUNTERS]
        for tile in range(self._config.machine.tiles):
            names += [f"tile{tile}.{counter.name}" for counter in TILE_COUNTERS]
        words = self._ask(Packet.COUNTERS, expected=2 * len(names))
        halves = zip(words[::2], words[1::2], strict=True)
        pairs = zip(names, (low | high << WORD_BITS for low, high in halves), strict=True)
        return {name: count for name, count in pairs if count != NOT_COUNTED}

    def _wait(self, timeout_s: float | None) -> bool:
        """Wait until no program runs; return whether that came to be in time."""
        begun = time.monotonic()
        while self.status().running:
            if timeout_s is not None and time.monotonic() - begun >= timeout_s:
                return False
        return True

    def _place(self, space: Space, address: int) -> list[int]:
        require(
            0 <= address < 1 << WORD_BITS, f"address must be an integer of 32 bits, not {address}"
        )
        return [space, address]

    def _ask(
        self, kind: Packet, payload: Sequence[int] = (), expected: int | None = None
    ) -> list[int]:
        """Send a command until it is answered; return the payload of the reply."""
        self._sequence = (self._sequence + 1) % SEQUENCES
        command = packet(kind, self._sequence, payload)
        why = ""
        for _ in range(1 + self._retries):
            self._carrier.send(command)
            for _ in range(MAX_STRAYS):
                frame = self._carrier.receive(self._timeout_s)
                if frame is None:
                    why = f"nothing came for {self._timeout_s:g} s"
                    break
                if frame.damaged or not _well_formed(frame.words):
                    why = "the reply arrived damaged"
                    break
                header = unpack(HEADER, frame.words[0])
                if header["code"] == ErrorCode.CRC:
                    why = "the command arrived damaged"
                    break
                if header["sequence"] != self._sequence:
                    why = "only replies to other commands came"
                    continue
                if header["type"] == ERROR:
                    raise RefusedError(_in_words(kind, payload), ErrorCode(header["code"]))
                words = frame.words[HEADER_WORDS:]
                if header["type"] != kind + REPLY or expected not in (None, len(words)):
                    why = "the reply does not belong to the command"
                    break
                return words
        raise LinkError(
            f"the chip did not answer {kind.name}, sent {1 + self._retries} times: {why} "
            "(check that it is on, the cable and the rate)"
        )


def _well_formed(words: Sequence[int]) -> bool:
    return (
        len(words) >= HEADER_WORDS
        and words[1] == len(words) - HEADER_WORDS
        and unpack(HEADER, words[0])["magic"] == PACKET_MAGIC
    )


def _in_words(kind: Packet, payload: Sequence[int]) -> str:
    match kind:
        case Packet.READ:
            space, address, count = payload
        case Packet.WRITE:
            space, address, count = payload[0], payload[1], len(payload) - 2
        case Packet.RUN:
            return f"run the program at instruction {payload[0]}"
        case _:
            return f"answer {kind.name}"
    return f"{kind.name.lower()} {count} words at {address} of the {Space(space).name} space"
