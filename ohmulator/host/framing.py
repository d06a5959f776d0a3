"""Packets to frames on a line of bytes and back, see `spec.framing`."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spec.framing import ESCAPE, FLAG, STUFFED, WORD_BYTES

MAX_FRAME_BYTES = 1 << 16
"""Longer than any frame: a line that brought so much without one brings noise."""


def encode(words: Sequence[int]) -> bytes:
    """Return the frame of a packet; each word must be of 0 to 2**32 - 1."""
    body = struct.pack(f"<{len(words)}I", *words)
    body += struct.pack("<I", zlib.crc32(body))
    escaped = b"".join(
        bytes([ESCAPE, byte ^ STUFFED]) if byte in (FLAG, ESCAPE) else bytes([byte])
        for byte in body
    )
    return bytes([FLAG]) + escaped + bytes([FLAG])


@dataclass(frozen=True)
class Frame:
    """A packet that arrived.

    Attributes
    ----------
    words
        Its words, of 0 to 2**32 - 1. Damaged ones have at least one, which may be anything.
    damaged
        Whether they are known to be wrong.
    """

    words: list[int]
    damaged: bool


class Deframer:
    """Find frames in what a line delivers, damaged or not."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._escaped = False

    def feed(self, line: Iterable[int]) -> list[Frame]:
        """Take more bytes; return the frames that they complete."""
        frames = []
        for byte in line:
            if byte == FLAG:
                if self._body or self._escaped:
                    frames.append(self._finish())
                self._body.clear()
                self._escaped = False
            elif byte == ESCAPE:
                self._escaped = True
            else:
                # One byte too many keeps the frame damaged, and noise from filling the memory.
                if len(self._body) <= MAX_FRAME_BYTES:
                    self._body.append(byte ^ STUFFED if self._escaped else byte)
                self._escaped = False
        return frames

    def _finish(self) -> Frame:
        words = [word for (word,) in struct.iter_unpack("<I", self._body[: self._whole])][:-1]
        damaged = (
            self._escaped
            or not words
            or len(self._body) != self._whole
            or zlib.crc32(self._body[:-WORD_BYTES])
            != int.from_bytes(self._body[-WORD_BYTES:], "little")
        )
        return Frame(words or [0], damaged)

    @property
    def _whole(self) -> int:
        """Bytes of complete words."""
        return len(self._body) // WORD_BYTES * WORD_BYTES
