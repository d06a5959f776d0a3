"""Commands for a device, mostly sensible, with every kind of damage."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from spec.packet import MAX_PAYLOAD, MAX_WORDS, Packet, packet
from tests.support.memory_device import SIZES

Data = Callable[[np.random.Generator, int, int, int], list[int]]
"""Returns words to write into a space from an address on, so many; signed."""


def small_words(rng: np.random.Generator, space: int, address: int, count: int) -> list[int]:
    return rng.integers(-9, 7, count).tolist()


def random_frames(
    rng: np.random.Generator,
    number: int,
    sizes: Mapping[int, int] = SIZES,
    runs: int = 35,
    data: Data = small_words,
) -> Iterator[tuple[list[int], bool]]:
    """Yield the words of packets, and whether they arrive damaged.

    `sizes` are those of the device's spaces; RUN is given numbers below `runs`.
    """
    words: list[int] = packet(Packet.STATUS, 0)
    for sequence in range(number):
        space = int(rng.integers(0, len(sizes) + 1))
        size = sizes.get(space, 100)
        count = int(rng.integers(1, 6)) if rng.random() < 0.98 else MAX_WORDS
        # Around both ends, where off by one shows.
        address = int(rng.choice([0, 1, size - count, size - count + 1, rng.integers(size)]))
        address = max(address, 0) if rng.random() < 0.98 else int(rng.integers(1 << 32))
        written = [word & 0xFFFFFFFF for word in data(rng, space, address, count)]
        payload = {
            Packet.READ: [space, address, count],
            Packet.WRITE: [space, address, *written],
            Packet.RUN: [int(rng.integers(0, runs))],
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
