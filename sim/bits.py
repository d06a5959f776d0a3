"""Between signals and NumPy, fast enough to be done in every clock cycle.

An array in a payload is a vector of equal elements, element 0 at its least significant end. The
simulator's own strings of bits are used: cocotb's value objects take several times as long.
"""

from functools import cache

import numpy as np
from amaranth.lib import data
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

DEPOSIT = 0
"""cocotb's number for an ordinary write."""

EXACT_BITS = 52
"""Width of elements that float64 sums bit by bit without rounding, in any order."""

_TO_TEXT = bytes.maketrans(b"\x00\x01", b"01")
_FROM_TEXT = bytes.maketrans(b"01", b"\x00\x01")


def read_flag(signal: SimHandleBase) -> int:
    """Return a signal of up to 31 bits as an unsigned integer."""
    return signal._handle.get_signal_val_long()


def write_flag(signal: SimHandleBase, value: int) -> None:
    """Drive a signal of one bit."""
    signal._handle.set_signal_val_int(DEPOSIT, value)


def write_bits(signal: SimHandleBase, flags: NDArray[np.bool_]) -> None:
    """Drive a signal with flags, flag 0 its least significant bit."""
    text = flags[::-1].tobytes().translate(_TO_TEXT).decode()
    signal._handle.set_signal_val_binstr(DEPOSIT, text)


def read_text(signal: SimHandleBase) -> str:
    """Return the bits of a signal as the simulator writes them, most significant first."""
    return signal._handle.get_signal_val_binstr()


def bits_of(text: str, signal: SimHandleBase) -> NDArray[np.uint8]:
    """Return the bits of a text as 0 and 1, most significant first.

    Raises
    ------
    ValueError
        If a bit is neither 0 nor 1; the message names the signal.
    """
    if "x" in text or "z" in text or "X" in text or "Z" in text:
        raise ValueError(f"signal {signal._path} is not defined: {text}")
    return np.frombuffer(text.encode().translate(_FROM_TEXT), np.uint8)


def read_bits(signal: SimHandleBase) -> NDArray[np.uint8]:
    """Return the bits of a signal as 0 and 1, as `bits_of` does."""
    return bits_of(read_text(signal), signal)


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


@cache
def _places(width: int, signed: bool) -> NDArray[np.float64]:
    places = np.exp2(np.arange(width - 1, -1, -1))
    if signed:
        places[0] = -places[0]
    return places


def pack(values: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Return the bits [..., n * width] of equal elements [..., n], least significant first."""
    bits = (values[..., None] >> np.arange(width) & 1).astype(bool)
    return bits.reshape(*values.shape[:-1], -1)


def fields(layout: data.StructLayout, bits: NDArray[np.uint8]) -> dict[str, int]:
    """Return the integer fields of a structure from its bits, most significant first."""
    text = int("".join(map(str, bits.tolist())), 2)
    constant = layout.from_bits(text)
    return {name: int(constant[name]) for name in layout.members}


def pack_fields(layout: data.StructLayout, values: dict[str, object]) -> NDArray[np.bool_]:
    """Return the bits of a structure with the given fields, least significant first."""
    number = layout.const(values).as_bits()
    return np.array([number >> i & 1 for i in range(layout.size)], bool)
