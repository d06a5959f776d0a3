"""The responder, which executes packets on a device; see `spec.packet`."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from golden.checks import checked_integers
from spec.errors import require
from spec.isa import WORD_BITS, ErrorCode, MachineError, Space
from spec.packet import (
    ADDRESSING,
    CHANGING,
    COMMANDS,
    ERROR,
    HEADER,
    HEADER_WORDS,
    LINK_COUNTERS,
    MAX_PAYLOAD,
    MAX_WORDS,
    PACKET_MAGIC,
    REPLY,
    STATE,
    Packet,
    pack,
    packet,
    unpack,
)


class State(Protocol):
    """Tell whether a program runs, why the last one stopped, and at which instruction."""

    @property
    def running(self) -> bool: ...

    @property
    def code(self) -> ErrorCode: ...

    @property
    def pc(self) -> int: ...


class Device(Protocol):
    """Execute the commands of a responder, as `golden.machine.machine.Machine` does.

    `read`, `write` and `start` raise `MachineError` and change nothing if a program runs (BUSY),
    words lie outside of their space (RANGE) or a space cannot hold one (VALUE), in this order.
    """

    @property
    def status(self) -> State: ...

    def read(self, space: Any, address: int, count: int) -> Iterable[int]: ...

    def write(self, space: Any, address: int, words: list[int]) -> None: ...

    def start(self, pc: int) -> None: ...

    def abort(self) -> None: ...

    def counters(self) -> Sequence[int]: ...


class Responder:
    """Answer commands as the RTL does, word for word.

    Parameters
    ----------
    device
        What the commands act on.
    identity
        Reply to IDENTIFY, see `IDENTITY`.
    spaces
        Spaces of the device.
    """

    def __init__(self, device: Device, identity: Sequence[int], spaces: type[enum.IntEnum] = Space):
        self.device, self.identity, self.spaces = device, list(identity), spaces
        self.link = dict.fromkeys(LINK_COUNTERS, 0)
        self._done: int | None = None

    def respond(self, words: Sequence[int], *, damaged: bool = False) -> list[int]:
        """Return the reply to a packet of one word or more.

        Raises
        ------
        UserError
            If there is none, or one does not have 32 bits.
        """
        words = checked_integers("words", words, (-1,), 0, (1 << WORD_BITS) - 1).tolist()
        require(len(words) > 0, "a packet has at least one word, its header")
        counter = "damaged" if damaged else "packets"
        self.link[counter] = min(self.link[counter] + 1, (1 << WORD_BITS) - 1)
        header = unpack(HEADER, words[0])
        sequence = header["sequence"]
        try:
            if damaged:
                raise MachineError(ErrorCode.CRC)
            retry = self._done == words[0]
            self._done = None
            _check_form(words, header)
            payload = [] if retry else self._execute(header["type"], list(words[HEADER_WORDS:]))
            if header["type"] in CHANGING:
                self._done = words[0]
            return packet(REPLY + header["type"], sequence, payload)
        except MachineError as error:
            return packet(ERROR, sequence, code=error.code)

    def _execute(self, kind: int, payload: list[int]) -> list[int]:
        device = self.device
        if kind not in COMMANDS:
            raise MachineError(ErrorCode.TYPE)
        arguments, data = payload[: COMMANDS[kind]], payload[COMMANDS[kind] :]
        if len(arguments) < COMMANDS[kind] or bool(data) != (kind == Packet.WRITE):
            raise MachineError(ErrorCode.LENGTH)
        if kind == Packet.READ and not 1 <= arguments[2] <= MAX_WORDS:
            raise MachineError(ErrorCode.LENGTH)
        if kind in ADDRESSING and arguments[0] not in list(self.spaces):
            raise MachineError(ErrorCode.SPACE)

        match kind:
            case Packet.IDENTIFY:
                return self.identity
            case Packet.READ:
                words = device.read(self.spaces(arguments[0]), arguments[1], arguments[2])
                return [int(word) for word in words]
            case Packet.WRITE:
                device.write(self.spaces(arguments[0]), arguments[1], data)
            case Packet.RUN:
                device.start(arguments[0])
            case Packet.ABORT:
                device.abort()
            case Packet.STATUS:
                status = device.status
                state = pack(STATE, running=status.running, code=status.code)
                return [state, status.pc, *self.link.values()]
            case Packet.COUNTERS:
                halves = [divmod(count, 1 << WORD_BITS) for count in device.counters()]
                return [half for high, low in halves for half in (low, high)]
        return []


def _check_form(words: Sequence[int], header: Mapping[str, int]) -> None:
    if header["magic"] != PACKET_MAGIC or header["code"] != ErrorCode.NONE:
        raise MachineError(ErrorCode.HEADER)
    length = len(words) - HEADER_WORDS
    if not 0 <= length <= MAX_PAYLOAD or words[1] != length:
        raise MachineError(ErrorCode.LENGTH)
