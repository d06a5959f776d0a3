"""Sessions with a tile behind a link, next to its model: nearly all operations find words that they
can use.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import numpy as np

from golden.link.responder import Responder
from golden.link.tile_device import TileDevice
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.counters import NOT_COUNTED
from spec.isa import WORD_BITS, ErrorCode
from spec.packet import (
    HEADER,
    HEADER_WORDS,
    MAX_WORDS,
    REPLY,
    STATE,
    Packet,
    packet,
    unpack,
)
from spec.tile_link import (
    PRODUCT_OPERATIONS,
    TileOperation,
    TileSpace,
    tile_identity,
    tile_operations,
    tile_words,
    word_limits,
)
from tests.support.random_frames import random_frames

SHARE_OUTSIDE = 0.003
"""Share of written words that no operation can use."""

SHARE_RUN = 0.4
"""Operations, whose results are read right after them, to packets of any kind."""

LONGEST_MEANWHILE = 6
"""Words of a packet that is answered before any operation can end."""

Exchange = Callable[[list[int], bool], Awaitable[list[int]]]
"""Sends a packet, damaged or not, and returns the reply."""


@dataclass
class Seen:
    """Hold what a session met: error codes of replies, and how operations ended."""

    codes: Counter[ErrorCode]
    ends: Counter[tuple[int, ErrorCode]]
    meanwhile: int = 0


def tile_model(config: ChipConfig, analog: Analog) -> Responder:
    """Return the model of a tile that was just reset."""
    return Responder(TileDevice(Tile(config, analog)), tile_identity(config), TileSpace)


def first_frames(config: ChipConfig) -> Iterator[list[int]]:
    """Yield packets that bring all words of a tile, which hold anything at power-up, to 0."""
    sequence = 0
    for space, size in tile_words(config).items():
        for start in range(0, size, MAX_WORDS):
            sequence = sequence % 255 + 1
            words = [0] * min(MAX_WORDS, size - start)
            yield packet(Packet.WRITE, sequence, [space, start, *words])


def tile_frames(
    config: ChipConfig, rng: np.random.Generator, number: int
) -> Iterator[tuple[list[int], bool]]:
    """Yield the words of packets, and whether they arrive damaged."""
    limits = word_limits(config)

    def words(rng: np.random.Generator, space: int, address: int, count: int) -> list[int]:
        known = limits.get(TileSpace(space), []) if space in list(TileSpace) else []
        found = []
        for low, high in (known[address : address + count] + [(-9, 7)] * count)[:count]:
            # The nearest of those that are not allowed are the hardest to tell.
            outside = [low - 1, high + 1, -(1 << 31), (1 << 31) - 1]
            inside = int(rng.integers(low, high + 1))
            found.append(int(rng.choice(outside)) if rng.random() < SHARE_OUTSIDE else inside)
        return found

    sizes = {int(space): size for space, size in tile_words(config).items()}
    for frame, damaged in random_frames(rng, number, sizes, len(TileOperation) + 1, words):
        yield frame, damaged
        if rng.random() < SHARE_RUN:
            sequence = (unpack(HEADER, frame[0])["sequence"] + 64) % 256
            yield packet(Packet.RUN, sequence, [int(rng.integers(len(TileOperation)))]), False
            for space in (TileSpace.RESULT, TileSpace.OUTCOME):
                yield packet(Packet.READ, (sequence + space) % 256, [space, 0, sizes[space]]), False


async def follow(
    exchange: Exchange,
    config: ChipConfig,
    model: Responder,
    frames: Iterator[tuple[list[int], bool]],
    rng: np.random.Generator,
) -> Seen:
    """Send packets one by one, and compare every reply with the model's.

    An operation is waited for by STATUS, and now and then disturbed by the next packet before.
    """
    seen = Seen(Counter(), Counter())
    device = model.device

    async def check(words: list[int], damaged: bool) -> list[int]:
        reply = await exchange(words, damaged)
        if device.status.running and not unpack(STATE, _state(reply))["running"]:
            device.step()
            seen.ends[(device.status.pc, device.status.code)] += 1
        expected = model.respond(words, damaged=damaged)
        assert _untimed(reply, expected) == _untimed(expected, expected), (
            f"to {[hex(word) for word in words]}, damaged={damaged}: {reply} instead of {expected}"
        )
        seen.codes[ErrorCode(unpack(HEADER, reply[0])["code"])] += 1
        return reply

    for words in first_frames(config):
        await check(words, False)
    waited = True
    for words, damaged in frames:
        header = unpack(HEADER, words[0])
        sequence = header["sequence"]
        # What is counted changes while an operation runs.
        meanwhile = len(words) <= LONGEST_MEANWHILE and header["type"] != Packet.COUNTERS
        meanwhile &= rng.random() < 0.5
        if device.status.running and (waited or not meanwhile or not _takes_long(config, device)):
            while device.status.running:
                # Its number differs from those around it.
                sequence = (sequence + 128) % 256
                await check(packet(Packet.STATUS, sequence), False)
        seen.meanwhile += device.status.running
        waited = device.status.running
        await check(words, damaged)
    return seen


def _takes_long(config: ChipConfig, device: TileDevice) -> bool:
    """Tell whether an operation drives the array before it ends."""
    if device.status.pc not in tile_operations(config):
        return False
    product = device.status.pc in PRODUCT_OPERATIONS
    half = 1 << WORD_BITS - 1
    return all(
        low <= (word ^ half) - half <= high
        for space in ([TileSpace.INPUT, TileSpace.STEP] if product else [TileSpace.TARGET])
        for word, (low, high) in zip(device.memory[space], word_limits(config)[space], strict=True)
    )


def _state(reply: list[int]) -> int:
    """Return the state of a reply to STATUS; of any other, one that runs."""
    status = unpack(HEADER, reply[0])["type"] == Packet.STATUS + REPLY
    return reply[HEADER_WORDS] if status else 1


def _untimed(reply: list[int], expected: list[int]) -> list[int]:
    """Return the words of a reply without the counters that the model does not have."""
    if unpack(HEADER, expected[0])["type"] != Packet.COUNTERS + REPLY:
        return reply
    kept = reply[:HEADER_WORDS]
    for i in range(HEADER_WORDS, len(expected), 2):
        if expected[i] | expected[i + 1] << 32 != NOT_COUNTED:
            kept += reply[i : i + 2]
    return [len(reply), *kept]
