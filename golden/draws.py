"""Random draws of the physics: every kind has a stream of its own, all from one seed.

Turning one fault on leaves the draws of all others as they were. A stream is drawn from in the
order of time, so that n planes in one call and n calls of one plane see the same values. Draws
that must not depend on the order in which cells are visited are keyed instead.
"""

import enum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri


class Draw(enum.IntEnum):
    """Kinds of draws. Append only: the number selects the stream, and so the chip of a seed."""

    STEP_GAIN = 0
    STUCK = 1
    CYCLE = 2
    RELAXATION = 3
    PROGRAM = 4
    DRIFT = 5
    READ_NOISE = 6
    DAC_STATICS = 7
    DAC_NOISE = 8
    ADC_STATICS = 9
    SENSE_NOISE = 10
    VERIFY_NOISE = 11
    TILE = 12
    INV_DAC_STATICS = 13
    INV_ADC_STATICS = 14
    INV_DAC_NOISE = 15
    INV_READ_NOISE = 16
    AMPLIFIER_OFFSET = 17
    AMPLIFIER_NOISE = 18


def stream(seed: int, *draw: int) -> np.random.Generator:
    """Return the generator of a kind of draws, and of a part of it where it has parts."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=draw)))


def tile_seed(seed: int, tile: int) -> int:
    """Return the seed of the physics of a tile of a chip, of 63 bits."""
    sequence = np.random.SeedSequence(seed, spawn_key=(Draw.TILE, tile))
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def keyed_normal(seed: int, draw: Draw, cell: ArrayLike, count: ArrayLike) -> NDArray[np.float64]:
    """Return standard normal draws that depend on nothing but the arguments.

    `cell` and `count` are integers, 0 or more, and broadcast. Alone or in an array, a cell's draw
    of the same count is the same number.
    """
    bits = _mix(_key(seed, draw) + np.asarray(cell, np.uint64))
    bits = _mix(bits + np.asarray(count, np.uint64))
    draws: NDArray[np.float64] = ndtri(((bits >> np.uint64(11)) + 0.5) * 2.0**-53)
    return draws.reshape(np.broadcast_shapes(np.shape(cell), np.shape(count)))


@lru_cache
def _key(seed: int, draw: Draw) -> NDArray[np.uint64]:
    sequence = np.random.SeedSequence(seed, spawn_key=(draw,))
    return sequence.generate_state(1, np.uint64).astype(np.uint64)


def _mix(bits: NDArray[Any]) -> NDArray[Any]:
    """Scramble 64 bits one to one: the step and finaliser of SplitMix64 (Steele et al., 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
