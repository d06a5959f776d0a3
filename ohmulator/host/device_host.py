"""Talk to a device, be it a chip or a tile alone: commands, checks, and who else talks.

A device serves one host at a time. A reset, or what another host does in between, is noticed, since
the device counts packets: the next `write` or start then raises `LinkError`, once, before anything
is done that relies on what the device held.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ohmulator.host.arguments import checked_place, checked_words
from ohmulator.host.carrier import Carrier
from ohmulator.host.errors import LinkError, MismatchError
from ohmulator.host.link import LARGEST_WORD, Link, known_code
from spec.config import ChipConfig
from spec.counters import NOT_COUNTED
from spec.errors import require, require_integer, shown
from spec.isa import WORD_BITS, Described, ErrorCode
from spec.packet import (
    GEOMETRY,
    IDENTITY,
    LINK_COUNTERS,
    MAX_WORDS,
    PROTOCOL_VERSION,
    STATE,
    STATUS_WORDS,
    Packet,
    unpack,
)


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


class DeviceHost:
    """Talk to the device behind a carrier; it is identified, and refused if it is another.

    Parameters
    ----------
    carrier
        What takes packets to the device.
    config
        Configuration that the device was made from.
    timeout_s
        Silence in seconds after which a command is sent again.
    retries
        How often it is.

    Attributes
    ----------
    config
        The configuration.
    DEVICE
        What the device is called.
    SPACES
        Its spaces.

    Raises
    ------
    UserError
        If an argument is of the wrong type or out of range.
    MismatchError
        If the device was made from another configuration or speaks another protocol. From every
        method: if the device says what this protocol does not have.
    LinkError
        From here and every method: no good reply came.
    """

    DEVICE: ClassVar[str]
    SPACES: ClassVar[type[Described]]

    def __init__(
        self, carrier: Carrier, config: ChipConfig, *, timeout_s: float = 1.0, retries: int = 4
    ):
        require(
            isinstance(config, ChipConfig),
            f"config must be a ChipConfig, not {shown(config)}: see ohmulator.load",
        )
        self.config = config
        self._link = Link(carrier, timeout_s, retries, self.DEVICE, self.SPACES)
        self._disturbed = False
        self.identify()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the device, for good."""
        self._link.close()

    def identify(self) -> dict[str, int]:
        """Return what the device says it is, by the names of `spec.packet.IDENTITY`.

        What it holds is taken for unknown from here on.

        Raises
        ------
        MismatchError
            If that is not what the configuration says.
        """
        words = self._link.ask(Packet.IDENTIFY, words=None)
        self._link.restart()
        self._forget()
        self._disturbed = False
        local = dict(zip(IDENTITY, self._identity(), strict=True))
        device, magic = self.DEVICE, local["magic"]
        if words[:1] != [magic]:
            start = f"starts with {words[0]:#010x}" if words else "is empty"
            raise MismatchError(
                f"what answers is no Ohmulator {device}: its identity {start} instead of "
                f"{magic:#010x}"
            )
        if words[1:] and words[1] != PROTOCOL_VERSION:
            raise MismatchError(
                f"the {device} speaks version {words[1]} of the protocol and this host version "
                f"{PROTOCOL_VERSION}: use the release that the {device} was made with"
            )
        if len(words) != len(IDENTITY):
            raise MismatchError(
                f"the identity of the {device} has {len(words)} words, and that of version "
                f"{PROTOCOL_VERSION} of the protocol {len(IDENTITY)}: use the release that the "
                f"{device} was made with"
            )
        found = dict(zip(IDENTITY, words, strict=True))
        for name in GEOMETRY:
            if found[name] != local[name]:
                raise MismatchError(
                    f"the {device} has {name} = {found[name]} and the configuration "
                    f"{local[name]}: give the configuration that the {device} was made from"
                )
        if found != local:
            number = found["hash_high"] << WORD_BITS | found["hash_low"]
            raise MismatchError(
                f"the {device} has the hardware {number:016x}, and the configuration "
                f"{self.config.hardware}: give the configuration that the {device} was made from"
            )
        return found

    def write(self, space: Described, address: int, words: ArrayLike) -> None:
        """Write words [n] of 32 bits, signed or unsigned, from an address on.

        They go `MAX_WORDS` at a time; when a part is refused, those before it are written.

        Raises
        ------
        UserError
            If there is no such space or address, or the words are not integers of 32 bits.
        RefusedError
            If something runs, or the space has no such words or cannot hold them.
        LinkError
            Also if the device was used by another host or reset.
        """
        values = checked_words(words)
        where = checked_place(self.SPACES, space, address, len(values))
        self.check()
        self._begin_write(where[0])
        self._write(*where, values)

    def read(self, space: Described, address: int, count: int) -> NDArray[np.uint32]:
        """Return `count` words of 32 bits from an address on; `.view(np.int32)` signs them.

        Raises
        ------
        UserError
            If there is no such space, address or count.
        RefusedError
            If something runs, or the space has no such words.
        """
        count = require_integer("count", count, 0, LARGEST_WORD)
        space, address = checked_place(self.SPACES, space, address, count)
        words: list[int] = []
        while len(words) < count:
            part = min(count - len(words), MAX_WORDS)
            words += self._link.ask(Packet.READ, [space, address + len(words), part], part)
        return np.array(words, np.uint32)

    def status(self) -> ChipStatus:
        """Return the state of the device and of the link to it."""
        state, pc, *link = self._link.ask(Packet.STATUS, words=STATUS_WORDS)
        fields = unpack(STATE, state)
        if state >> sum(STATE.values()):
            raise MismatchError(
                f"the {self.DEVICE} answers STATUS with the state {state:#x}, which version "
                f"{PROTOCOL_VERSION} of the protocol does not have: use the release that the "
                f"{self.DEVICE} was made with"
            )
        code = known_code(fields["code"], "the last program ended")
        counters = dict(zip(LINK_COUNTERS, link, strict=True))
        if not self._link.undisturbed(counters["packets"]):
            self._forget()
            self._disturbed = True
        return ChipStatus(bool(fields["running"]), code, pc, counters)

    def check(self) -> None:
        """Ask for the state of the device, and make sure that this host alone has used it.

        Raises
        ------
        LinkError
            Once, if another host used it or it was reset since this host began or was told so.
        """
        # This also keeps the chip from taking a command for the same one of another host.
        self.status()
        self._refuse_disturbed()

    def counters(self) -> dict[str, int]:
        """Return the performance counters by name.

        Those that this device does not have are left out: a model has no cycles.
        """
        names = self._counter_names()
        words = self._link.ask(Packet.COUNTERS, words=2 * len(names))
        halves = zip(words[::2], words[1::2], strict=True)
        pairs = zip(names, (low | high << WORD_BITS for low, high in halves), strict=True)
        return {name: count for name, count in pairs if count != NOT_COUNTED}

    def _identity(self) -> Sequence[int]:
        """Return what the device is to say it is."""
        raise NotImplementedError

    def _counter_names(self) -> Sequence[str]:
        """Return the names of the counters in the order in which they come."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Take note that the device may hold anything."""

    def _begin_write(self, space: Described) -> None:
        """Take note of what a write by the user means."""

    def _start(self, number: int) -> None:
        """Run a program or operation, if this host alone has used the device."""
        self.check()
        self._link.ask(Packet.RUN, [number])

    def _refuse_disturbed(self) -> None:
        """Raise `LinkError`, once, if another host used the device or it was reset."""
        if self._disturbed:
            self._disturbed = False
            raise LinkError(
                f"the {self.DEVICE} was reset, or another host used it, in the meantime: write "
                "again what it must hold, and run again what ran"
            )

    def _write(self, space: Described, address: int, values: NDArray[np.int64]) -> None:
        """Write checked words."""
        for at in range(0, len(values), MAX_WORDS):
            part = [int(value) & LARGEST_WORD for value in values[at : at + MAX_WORDS]]
            self._link.ask(Packet.WRITE, [space, address + at, *part])

    def _wait(self, timeout_s: float | None, *, alone: bool = False) -> bool:
        """Wait until nothing runs or, if it must be `alone`, another host came in between.

        Return whether that came to be in time.
        """
        begun = time.monotonic()
        while self.status().running and not (alone and self._disturbed):
            if timeout_s is not None and time.monotonic() - begun >= timeout_s:
                return False
        return True
