"""One API to a chip, be it a model, a simulation or a board.

    with Host(carrier, config) as host:
        host.write(Space.VECTOR, 0, vector)
        host.run()
        result = host.read(Space.VECTOR, 64, 64)

A chip serves one host at a time. A reset, or what another host does in between, is noticed, since
the chip counts packets: the next `write` or `start` then raises `LinkError`, once, before anything
is done that relies on what the chip held.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ohmulator.host.arguments import checked_place, checked_words
from ohmulator.host.carrier import Carrier
from ohmulator.host.errors import LinkError, MismatchError, ProgramError
from ohmulator.host.link import LARGEST_WORD, MAX_SECONDS, Link, known_code
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS, NOT_COUNTED, TILE_COUNTERS
from spec.errors import require, require_integer, require_number, shown
from spec.isa import WORD_BITS, ErrorCode, Space
from spec.packet import (
    GEOMETRY,
    IDENTITY,
    IDENTITY_MAGIC,
    LINK_COUNTERS,
    MAX_WORDS,
    PROTOCOL_VERSION,
    STATE,
    STATUS_WORDS,
    Packet,
    identity,
    unpack,
)

Write = tuple[Space, int, NDArray[np.uint32]]
"""Words for a space, from an address on."""

ABORT_S = 10.0
"""Time in seconds for a program to stop when aborted: no instruction takes as long."""


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
    """Talk to the chip behind a carrier; it is identified, and refused if it is another.

    Parameters
    ----------
    carrier
        What takes packets to the chip.
    config
        Configuration that the chip was made from.
    timeout_s
        Silence in seconds after which a command is sent again.
    retries
        How often it is.

    Attributes
    ----------
    config
        The configuration.

    Raises
    ------
    UserError
        If an argument is of the wrong type or out of range.
    MismatchError
        If the chip was made from another configuration or speaks another protocol. From every
        method: if the chip says what this protocol does not have.
    LinkError
        From here and every method: no good reply came.
    """

    def __init__(
        self, carrier: Carrier, config: ChipConfig, *, timeout_s: float = 1.0, retries: int = 4
    ):
        require(
            isinstance(config, ChipConfig),
            f"config must be a ChipConfig, not {shown(config)}: see ohmulator.load",
        )
        self.config = config
        self._link = Link(carrier, timeout_s, retries)
        self._kept: list[Write] = []
        self._disturbed = False
        self.identify()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the chip, for good."""
        self._link.close()

    def identify(self) -> dict[str, int]:
        """Return what the chip says it is, by the names of `spec.packet.IDENTITY`.

        What it holds is taken for unknown from here on.

        Raises
        ------
        MismatchError
            If that is not what the configuration says.
        """
        words = self._link.ask(Packet.IDENTIFY, words=None)
        self._link.restart()
        self._kept.clear()
        self._disturbed = False
        if words[:1] != [IDENTITY_MAGIC]:
            start = f"starts with {words[0]:#010x}" if words else "is empty"
            raise MismatchError(
                f"what answers is no Ohmulator chip: its identity {start} instead of "
                f"{IDENTITY_MAGIC:#010x}"
            )
        if words[1:] and words[1] != PROTOCOL_VERSION:
            raise MismatchError(
                f"the chip speaks version {words[1]} of the protocol and this host version "
                f"{PROTOCOL_VERSION}: use the release that the chip was made with"
            )
        if len(words) != len(IDENTITY):
            raise MismatchError(
                f"the identity of the chip has {len(words)} words, and that of version "
                f"{PROTOCOL_VERSION} of the protocol {len(IDENTITY)}: use the release that the "
                "chip was made with"
            )
        found = dict(zip(IDENTITY, words, strict=True))
        local = dict(zip(IDENTITY, identity(self.config), strict=True))
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
                f"{self.config.hardware}: give the configuration that the chip was made from"
            )
        return found

    def write(self, space: Space, address: int, words: ArrayLike) -> None:
        """Write words [n] of 32 bits, signed or unsigned, from an address on.

        They go `MAX_WORDS` at a time; when a part is refused, those before it are written.

        Raises
        ------
        UserError
            If there is no such space or address, or the words are not integers of 32 bits.
        RefusedError
            If a program runs, or the space has no such words or cannot hold them.
        LinkError
            Also if the chip was used by another host or reset.
        """
        values = checked_words(words)
        where = checked_place(space, address, len(values))
        self.check()
        if where[0] is Space.HOLDING:
            # Tiles may hold anything now.
            self._kept.clear()
        self._write(*where, values)

    def put(self, writes: Sequence[Write]) -> None:
        """Write words to memories that no program changes, in this order, and keep them in mind.

        They are forgotten when a later write touches them, when another host uses the chip, and
        when it is reset.

        Raises
        ------
        UserError
            As `Host.write`.
        RefusedError
            As `Host.write`.
        """
        checked = [
            (*checked_place(space, address, len(words)), checked_words(words))
            for space, address, words in writes
        ]
        self._settle()
        for place in checked:
            self._write(*place)
        self._kept += writes

    def keeps(self, writes: Sequence[Write]) -> bool:
        """Tell whether the chip still has all that these `put` there."""
        self._settle()
        return all(any(write is kept for kept in self._kept) for write in writes)

    def read(self, space: Space, address: int, count: int) -> NDArray[np.uint32]:
        """Return `count` words of 32 bits from an address on; `.view(np.int32)` signs them.

        Raises
        ------
        UserError
            If there is no such space, address or count.
        RefusedError
            If a program runs, or the space has no such words.
        """
        count = require_integer("count", count, 0, LARGEST_WORD)
        space, address = checked_place(space, address, count)
        words: list[int] = []
        while len(words) < count:
            part = min(count - len(words), MAX_WORDS)
            words += self._link.ask(Packet.READ, [space, address + len(words), part], part)
        return np.array(words, np.uint32)

    def start(self, pc: int = 0) -> None:
        """Start the program at instruction `pc`.

        Raises
        ------
        UserError
            If `pc` is not of 32 bits.
        RefusedError
            If a program runs.
        LinkError
            Also if the chip was used by another host or reset.
        """
        pc = require_integer("pc", pc, 0, LARGEST_WORD)
        self.check()
        self._link.ask(Packet.RUN, [pc])

    def run(self, pc: int = 0, timeout_s: float | None = None) -> None:
        """Run the program at instruction `pc` to its end.

        It is aborted if this call is interrupted, or if it still runs after `timeout_s` seconds.

        Raises
        ------
        UserError
            If an argument is out of range.
        ProgramError
            If it ends otherwise than by HALT.
        RefusedError
            If a program runs already.
        LinkError
            Also if the chip was used by another host or reset, before or meanwhile.
        """
        if timeout_s is not None:
            timeout_s = require_number("timeout_s", timeout_s, 0, MAX_SECONDS, "seconds")
        self.start(pc)
        ended = False
        try:
            ended = self._wait(timeout_s, alone=True)
        finally:
            if not ended:
                self.abort()
        status = self.status()
        self._refuse_disturbed()
        if status.code is not ErrorCode.NONE:
            raise ProgramError(status.code, status.pc)

    def abort(self) -> None:
        """Stop the program, if one runs, and wait until it has stopped.

        Raises
        ------
        LinkError
            Also if it does not stop.
        """
        self._link.ask(Packet.ABORT)
        if not self._wait(ABORT_S):
            raise LinkError("the program did not stop when aborted: reset the chip")

    def status(self) -> ChipStatus:
        """Return the state of the chip and of the link to it."""
        state, pc, *link = self._link.ask(Packet.STATUS, words=STATUS_WORDS)
        fields = unpack(STATE, state)
        if state >> sum(STATE.values()):
            raise MismatchError(
                f"the chip answers STATUS with the state {state:#x}, which version "
                f"{PROTOCOL_VERSION} of the protocol does not have: use the release that the chip "
                "was made with"
            )
        code = known_code(fields["code"], "the last program ended")
        counters = dict(zip(LINK_COUNTERS, link, strict=True))
        if not self._link.undisturbed(counters["packets"]):
            self._kept.clear()
            self._disturbed = True
        return ChipStatus(bool(fields["running"]), code, pc, counters)

    def check(self) -> None:
        """Look at the chip, and make sure that this host alone has used it.

        Raises
        ------
        LinkError
            Once, if another host used it or it was reset since this host began or was told so.
        """
        # This also keeps the chip from taking a command for the same one of another host.
        self.status()
        self._refuse_disturbed()

    def counters(self) -> dict[str, int]:
        """Return the performance counters: those of the chip, and of its tiles as `tile0.drives`.

        Those that this chip does not have are left out: a model has no cycles.
        """
        names = [counter.name for counter in CHIP_COUNTERS]
        for tile in range(self.config.machine.tiles):
            names += [f"tile{tile}.{counter.name}" for counter in TILE_COUNTERS]
        words = self._link.ask(Packet.COUNTERS, words=2 * len(names))
        halves = zip(words[::2], words[1::2], strict=True)
        pairs = zip(names, (low | high << WORD_BITS for low, high in halves), strict=True)
        return {name: count for name, count in pairs if count != NOT_COUNTED}

    def _settle(self) -> None:
        """Look at the chip, and take note of what it cannot hold any more."""
        self.status()
        self._disturbed = False

    def _refuse_disturbed(self) -> None:
        """Raise `LinkError`, once, if another host used the chip or it was reset."""
        if self._disturbed:
            self._disturbed = False
            raise LinkError(
                "the chip was reset, or another host used it, in the meantime: write again what it "
                "must hold, and run again what ran"
            )

    def _write(self, space: Space, address: int, values: NDArray[np.int64]) -> None:
        """Write checked words."""
        end = address + len(values)
        self._kept = [
            kept
            for kept in self._kept
            if kept[0] is not space or kept[1] >= end or kept[1] + len(kept[2]) <= address
        ]
        for at in range(0, len(values), MAX_WORDS):
            part = [int(value) & LARGEST_WORD for value in values[at : at + MAX_WORDS]]
            self._link.ask(Packet.WRITE, [space, address + at, *part])

    def _wait(self, timeout_s: float | None, *, alone: bool = False) -> bool:
        """Wait until no program runs or, if it must be `alone`, another host came in between.

        Return whether that came to be in time.
        """
        begun = time.monotonic()
        while self.status().running and not (alone and self._disturbed):
            if timeout_s is not None and time.monotonic() - begun >= timeout_s:
                return False
        return True
