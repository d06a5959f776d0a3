"""Carriers, which take packets to a device and its replies back.

Any object with the methods of `Carrier` will do.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol
from weakref import WeakValueDictionary

from golden.link.responder import Device, Responder
from ohmulator.host.framing import MAX_FRAME_BYTES, Deframer, Frame, encode
from spec.errors import require_integer


class Carrier(Protocol):
    """Takes packets to one device, which answers each with one packet unless it is lost."""

    def send(self, words: Sequence[int]) -> None:
        """Send a packet of words of 0 to 2**32 - 1."""

    def receive(self, timeout_s: float) -> Frame | None:
        """Return the next packet, or None if nothing comes for a time in seconds."""

    def close(self) -> None:
        """Let go of the device."""


class Model(Device, Protocol):
    """A device in this process: `golden.machine.machine.Machine`, or a tile alone,
    `golden.link.tile_device.TileDevice`.
    """

    @property
    def identity(self) -> Sequence[int]: ...

    @property
    def spaces(self) -> type[IntEnum]: ...

    def step(self) -> object:
        """Execute one instruction, or operation."""


_responders: WeakValueDictionary[int, Responder] = WeakValueDictionary()
"""Responders by the `id` of their model, which they keep alive: a device has one, however many
carriers lead to it."""


class ModelCarrier:
    """Reach a model in this process.

    Parameters
    ----------
    model
        The device.
    instructions
        Instructions of a running program that are executed before each packet.

    Raises
    ------
    UserError
        If `instructions` is not 1 or more.
    """

    def __init__(self, model: Model, instructions: int = 10_000):
        self._model = model
        self._instructions = require_integer("instructions", instructions, 1, 1 << 32)
        self._responder = _responders.setdefault(
            id(model), Responder(model, model.identity, model.spaces)
        )
        self._replies: deque[list[int]] = deque()

    def send(self, words: Sequence[int]) -> None:
        for _ in range(self._instructions):
            if not self._model.status.running:
                break
            self._model.step()
        self._replies.append(self._responder.respond(words))

    def receive(self, timeout_s: float) -> Frame | None:
        return Frame(self._replies.popleft(), False) if self._replies else None

    def close(self) -> None:
        pass


class SerialLine(Protocol):
    """A serial line to a device."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come since the last call, empty if nothing comes for that time."""

    def close(self) -> None:
        """Let go of the device."""


class SerialCarrier:
    """Carry packets over a serial line, in frames.

    Parameters
    ----------
    line
        The serial line.
    """

    def __init__(self, line: SerialLine):
        self._line = line
        self._deframer = Deframer()
        self._frames: deque[Frame] = deque()

    def send(self, words: Sequence[int]) -> None:
        self._line.write(encode(words))

    def receive(self, timeout_s: float) -> Frame | None:
        taken = 0
        while not self._frames and taken <= MAX_FRAME_BYTES:
            data = self._line.read(timeout_s)
            if not data:
                return None
            taken += len(data)
            self._frames.extend(self._deframer.feed(data))
        return self._frames.popleft() if self._frames else None

    def close(self) -> None:
        self._line.close()
