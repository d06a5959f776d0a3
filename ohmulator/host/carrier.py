"""What takes packets to a chip and back. Any object with these methods will do."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from golden.link.responder import Device, Responder
from ohmulator.host.framing import Deframer, Frame, encode
from spec.config import ChipConfig
from spec.packet import identity

MAX_FRAME_BYTES = 1 << 16
"""Longer than any frame: a line that brought so much without one brings noise."""


class Carrier(Protocol):
    """Takes packets to one chip, which answers each with one packet unless it is lost."""

    def send(self, words: Sequence[int]) -> None:
        """Send a packet."""

    def receive(self, timeout_s: float) -> Frame | None:
        """Return the next packet, or None if nothing comes for a time in seconds."""

    def close(self) -> None:
        """Let go of the chip."""


class Model(Device, Protocol):
    """A device in this process, such as `golden.machine.machine.Machine`."""

    @property
    def config(self) -> ChipConfig: ...

    def step(self) -> object:
        """Execute one instruction."""


class ModelCarrier:
    """Reach a model in this process.

    Parameters
    ----------
    model
        The device.
    steps
        Instructions of a running program that are executed before each packet.
    """

    def __init__(self, model: Model, steps: int = 10_000):
        self._model, self._steps = model, steps
        self._responder = Responder(model, identity(model.config))
        self._replies: deque[list[int]] = deque()

    def send(self, words: Sequence[int]) -> None:
        for _ in range(self._steps):
            if not self._model.status.running:
                break
            self._model.step()
        self._replies.append(self._responder.respond(words))

    def receive(self, timeout_s: float) -> Frame | None:
        return Frame(self._replies.popleft(), False) if self._replies else None

    def close(self) -> None:
        pass


class Line(Protocol):
    """A serial line to a chip."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self, timeout_s: float) -> bytes:
        """Return what has come since the last call, empty if nothing comes for that time."""

    def close(self) -> None: ...


class SerialCarrier:
    """Carry packets over a serial line, in frames."""

    def __init__(self, line: Line):
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
