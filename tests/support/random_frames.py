"""Commands for the device of `memory_device`, mostly sensible, with every kind of damage."""

from collections.abc import Iterator

import numpy as np

from spec.isa import Space
from spec.packet import MAX_PAYLOAD, MAX_WORDS, Packet, packet
from tests.support.memory_device import SIZES


def random_frames(rng: np.random.Generator, number: int) -> Iterator[tuple[list[int], bool]]:
    """Yield the words of packets, and whether they arrive damaged."""
    words: list[int] = packet(Packet.STATUS, 0)
    for sequence in range(number):
        space = int(rng.integers(0, len(Space) + 1))
        size = SIZES.get(space, 100)
        count = int(rng.integers(1, 6)) if rng.random() < 0.98 else MAX_WORDS
        # Around both ends, where off by one shows.
        address = int(rng.choice([0, 1, size - count, size - count + 1, rng.integers(size)]))
        address = max(address, 0) if rng.random() < 0.98 else int(rng.integers(1 << 32))
        data = [int(word) & 0xFFFFFFFF for word in rng.integers(-9, 7, count)]
        payload = {
            Packet.READ: [space, address, count],
            Packet.WRITE: [space, address, *data],
            Packet.RUN: [int(rng.integers(0, 35))],
        }
        kind = Packet(int(rng.choice([1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7])))
        fresh = packet(kind, sequence % 256, payload.get(kind, []))
        match int(rng.integers(0, 12)):
            case 0:
                pass  # Again what was last sent, altered as it may be.
            case 1:
                words = fresh
                at = int(rng.integers(len(words)))
                words[at] ^= 1 << int(rng.integers(32))
            case 2:
                words = fresh[: rng.integers(1, len(fresh) + 1)]
            case 3:
                words = fresh + [int(word) for word in rng.integers(0, 1 << 32, rng.integers(4))]
            case 4:
                words = [int(word) for word in rng.integers(0, 1 << 32, rng.integers(1, 5))]
            case 5 if rng.random() < 0.02:
                words = packet(Packet.WRITE, sequence % 256, [0, 0] + [1] * (MAX_PAYLOAD - 1))
            case _:
                words = fresh
        yield list(words), bool(rng.random() < 0.05)
