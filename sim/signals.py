"""Read and write signals of a simulated design, fast enough to do so in every clock cycle.

The simulator's own strings of bits are used: cocotb's value objects take several times as long.
"""

import numpy as np
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

DEPOSIT = 0
"""cocotb's number for an ordinary write."""

_TO_TEXT = bytes.maketrans(b"\x00\x01", b"01")
_FROM_TEXT = bytes.maketrans(b"01", b"\x00\x01")


def read_flag(signal: SimHandleBase) -> int:
    """Return a signal of up to 31 bits as an unsigned integer."""
    return signal._handle.get_signal_val_long()


def write_flag(signal: SimHandleBase, value: int) -> None:
    """Drive a signal of one bit."""
    signal._handle.set_signal_val_int(DEPOSIT, value)


def write_bits(signal: SimHandleBase, bits: NDArray[np.bool_]) -> None:
    """Drive a signal with bits, the least significant first."""
    text = bits[::-1].tobytes().translate(_TO_TEXT).decode()
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
