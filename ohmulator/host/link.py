"""Commands to a device and its replies: sent again when lost, checked in full, counted.

The sequence number keeps a device from executing a command twice, see `spec.packet`. The device
counts packets as well; as long as it has counted those that this link sent it, it has served
nobody else, and was not reset.
"""

from collections.abc import Sequence

from ohmulator.host.carrier import Carrier
from ohmulator.host.errors import LinkError, MismatchError, RefusedError
from ohmulator.host.framing import Frame
from spec.errors import digits, is_integer, require, require_integer, require_number, shown
from spec.isa import WORD_BITS, Described, ErrorCode, Space
from spec.packet import (
    ERROR,
    HEADER,
    HEADER_WORDS,
    PACKET_MAGIC,
    PROTOCOL_VERSION,
    REPLY,
    Packet,
    packet,
    unpack,
)

LARGEST_WORD = (1 << WORD_BITS) - 1
SEQUENCES = 1 << HEADER["sequence"]

MAX_STRAYS = 16
"""Replies to earlier commands that are passed over while waiting for one."""

MAX_SECONDS = 1e6
"""Longest time to wait for anything: eleven days."""

MAX_RETRIES = 1_000_000

SHOWN_WORDS = 4
"""Words of a reply that a message repeats."""


class Link:
    """Send commands over a carrier, one at a time, until each is answered.

    Parameters
    ----------
    carrier
        What takes packets to the device.
    timeout_s
        Silence in seconds after which a command is sent again.
    retries
        How often it is.
    device
        What it is called in messages.
    spaces
        Its spaces.

    Raises
    ------
    UserError
        If the carrier is none, or a number is out of its range.
    """

    def __init__(
        self,
        carrier: Carrier,
        timeout_s: float,
        retries: int,
        device: str = "chip",
        spaces: type[Described] = Space,
    ):
        self._device, self._spaces = device, spaces
        for method in ("send", "receive", "close"):
            require(
                callable(getattr(carrier, method, None)),
                f"carrier must have a method {method}(), unlike {shown(carrier)}: take one of "
                "ohmulator.host",
            )
        self._carrier = carrier
        self._timeout_s = require_number("timeout_s", timeout_s, 0, MAX_SECONDS, "seconds")
        self._attempts = 1 + require_integer("retries", retries, 0, MAX_RETRIES)
        self._sequence = 0
        self._closed = False
        # What the device counted when it was last looked at, and how many more packets it must
        # and may have received since.
        self._counted: int | None = None
        self._least = self._most = self._copies = 0

    def close(self) -> None:
        """Let go of the carrier."""
        if not self._closed:
            self._closed = True
            self._carrier.close()

    def ask(self, kind: Packet, payload: Sequence[int] = (), words: int | None = 0) -> list[int]:
        """Send a command until it is answered; return the payload of the reply.

        Parameters
        ----------
        kind, payload
            The command; words of 0 to 2**32 - 1.
        words
            Length of the reply's payload; None leaves it open.

        Raises
        ------
        RefusedError
            If the device refuses the command.
        MismatchError
            If it does so for a reason that the protocol does not have.
        LinkError
            If no good reply comes.
        """
        require(not self._closed, f"the {self._device} was closed: make a new one to go on")
        self._sequence = (self._sequence + 1) % SEQUENCES
        command = packet(kind, self._sequence, payload)
        try:
            for attempt in range(self._attempts):
                self._most += 1
                self._carrier.send(command)
                reply, why = self._await(kind, words)
                if reply is None:
                    continue
                self._least += 1
                self._copies = attempt
                return self._accepted(kind, payload, reply)
        except OSError as error:
            raise LinkError(
                f"the link to the {self._device} failed at {kind.name}: {error}"
            ) from None
        raise LinkError(
            f"the {self._device} did not answer {kind.name}, sent {self._attempts} times: {why} "
            "(check that it is on, the cable and the rate)"
        )

    def undisturbed(self, packets: int) -> bool:
        """Tell whether the device has counted what this link sent it, and count from here on.

        Parameters
        ----------
        packets
            Its counter in the reply to the STATUS that was asked last.
        """
        counted = packets if self._counted is None else self._counted + self._least
        most = packets if self._counted is None else self._counted + self._most
        # The counter stops at its largest.
        good = min(counted, LARGEST_WORD) <= packets <= min(most, LARGEST_WORD)
        # Copies of the STATUS that were sent in vain may still be on their way.
        self._counted, self._least, self._most = packets, 0, self._copies
        return good

    def restart(self) -> None:
        """Count from the next STATUS on, whatever came before."""
        self._counted = None

    def _await(self, kind: Packet, words: int | None) -> tuple[list[int] | None, str]:
        """Return the reply to the last command, or None and why there is none."""
        why = ""
        for _ in range(MAX_STRAYS):
            frame = self._carrier.receive(self._timeout_s)
            if frame is None:
                return None, f"nothing came for {digits(self._timeout_s)} s"
            if not _well_formed(frame):
                return None, f"the reply arrived damaged, as {_in_hex(frame.words)}"
            header = unpack(HEADER, frame.words[0])
            length = len(frame.words) - HEADER_WORDS
            refused = header["type"] == ERROR
            if refused and header["code"] == ErrorCode.CRC:
                return None, "the command arrived damaged"
            if header["sequence"] != self._sequence:
                why = "only replies to other commands came"
                continue
            if not refused and (header["type"] != kind + REPLY or header["code"]):
                return None, f"a reply to something else came, {_in_hex(frame.words)}"
            expected = 0 if refused else words
            if expected not in (None, length):
                return None, f"a reply of {length} words came instead of {expected}"
            return [int(word) for word in frame.words], why
        return None, why

    def _accepted(self, kind: Packet, payload: Sequence[int], reply: list[int]) -> list[int]:
        """Return the payload of a reply, or raise what it says."""
        header = unpack(HEADER, reply[0])
        if header["type"] == ERROR:
            command = self._in_words(kind, payload)
            code = known_code(header["code"], f"the {self._device} refused to {command}")
            raise RefusedError(command, code, self._device)
        return reply[HEADER_WORDS:]

    def _in_words(self, kind: Packet, payload: Sequence[int]) -> str:
        """Return a command for a message, from its verb on."""
        match kind:
            case Packet.READ:
                space, address, count = payload
            case Packet.WRITE:
                space, address, count = payload[0], payload[1], len(payload) - 2
            case Packet.RUN:
                return f"run the program at instruction {payload[0]}"
            case _:
                return f"answer {kind.name}"
        name = self._spaces(space).name
        return f"{kind.name.lower()} {count} words at {address} of the {name} space"


def known_code(number: int, what: str) -> ErrorCode:
    """Return the error code of a number.

    Raises
    ------
    MismatchError
        If there is none; its sentence begins with `what`.
    """
    if number not in list(ErrorCode):
        raise MismatchError(
            f"{what} with error code {number}, which version {PROTOCOL_VERSION} of the protocol "
            "does not have: use the release that the chip was made with"
        )
    return ErrorCode(number)


def _well_formed(frame: Frame) -> bool:
    """Tell whether a frame holds a packet."""
    words = frame.words
    return (
        not frame.damaged
        and len(words) >= HEADER_WORDS
        and all(is_integer(word) and 0 <= int(word) <= LARGEST_WORD for word in words)
        and words[1] == len(words) - HEADER_WORDS
        and unpack(HEADER, words[0])["magic"] == PACKET_MAGIC
    )


def _in_hex(words: Sequence[int]) -> str:
    """Return the first words of a reply for a message."""
    parts = [f"{int(word):#010x}" if is_integer(word) else shown(word) for word in words]
    rest = f" and {len(parts) - SHOWN_WORDS} more words" if len(parts) > SHOWN_WORDS else ""
    return f"{' '.join(part[:20] for part in parts[:SHOWN_WORDS]) or 'no words'}{rest}"
