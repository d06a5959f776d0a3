"""Pack numbers into the bits of a payload, and unpack them, fast enough to do so in every cycle.

An array in a payload is a vector of equal elements, element 0 at its least significant end. Bits
that are read come with the most significant first, as simulators write them; bits to be written
start with the least significant.
"""

from functools import cache

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

EXACT_BITS = 52
"""Width of elements that float64 sums bit by bit without rounding, in any order."""


def unpack(bits: NDArray[np.uint8], count: int, *, signed: bool = True) -> NDArray[np.float64]:
    """Return `count` elements as whole numbers of up to `EXACT_BITS`, element 0 first."""
    elements = bits.reshape(count, -1)
    # In floating point, because only that product is a fast one.
    return elements.astype(np.float64).dot(_places(elements.shape[1], signed))[::-1]


def unpack_wide(bits: NDArray[np.uint8], count: int, *, signed: bool = True) -> NDArray[np.int64]:
    """Return `count` elements as integers of any width whose values int64 holds."""
    elements = bits.reshape(count, -1)
    if elements.shape[1] <= EXACT_BITS:
        return unpack(bits, count, signed=signed).astype(np.int64)
    high = unpack(elements[:, :-EXACT_BITS], count, signed=signed).astype(np.int64)
    low = unpack(elements[:, -EXACT_BITS:], count, signed=False).astype(np.int64)
    return (high << EXACT_BITS) + low


def unpack_word(bits: NDArray[np.uint8], *, signed: bool = False) -> int:
    """Return the one number that a signal of up to `EXACT_BITS` carries."""
    return int(unpack(bits, 1, signed=signed)[0])


@cache
def _places(width: int, signed: bool) -> NDArray[np.float64]:
    places = np.exp2(np.arange(width - 1, -1, -1))
    if signed:
        places[0] = -places[0]
    return places


def pack(values: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Return the bits [..., n * width] of equal elements [..., n]."""
    bits = (values[..., None] >> np.arange(width) & 1).astype(bool)
    return bits.reshape(*values.shape[:-1], -1)


def pack_word(value: int, width: int) -> NDArray[np.bool_]:
    """Return the bits [width] of one number."""
    return pack(np.array([value]), width)


def unpack_fields(layout: data.StructLayout, bits: NDArray[np.uint8]) -> dict[str, int]:
    """Return the integer fields of a structure from its bits."""
    constant = layout.from_bits(int("".join(map(str, bits.tolist())), 2))
    return {name: int(constant[name]) for name in layout.members}


def pack_fields(layout: data.StructLayout, values: dict[str, object]) -> NDArray[np.bool_]:
    """Return the bits of a structure with the given fields."""
    number = layout.const(values).as_bits()
    return np.array([number >> i & 1 for i in range(layout.size)], bool)
