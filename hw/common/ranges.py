"""Shapes of numbers and addresses, and the check of addresses."""

from amaranth.hdl import Value, ValueLike, unsigned

from hw.common.arithmetic import fits
from spec.config import ChipConfig


def index(count: int) -> range:
    """Return the shape of a number of one of `count` things, at least one bit wide."""
    return range(max(2, count))


def vector_address(config: ChipConfig) -> range:
    """Return the shape of an address in the vector memory."""
    return range(config.machine.vector_words)


def vector_extent(config: ChipConfig) -> range:
    """Return the shape of a number of words in the vector memory, from none to all."""
    return range(config.machine.vector_words + 1)


def within(address: Value, length: Value, size: ValueLike) -> Value:
    """Return whether the `length` words from an address on lie in a memory of `size` words.

    The address may have any width and sign; length and size are unsigned. No sum wraps. A length of
    0 is within up to the address `size`.
    """
    size = Value.cast(size)
    low = address[: len(size)]
    return fits(address, unsigned(len(size))) & (low + length <= size)
