"""Arithmetic whose widths follow from its operands, and choices among many of them."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Const, Mux, Shape, ShapeLike, Value


class Clamped(NamedTuple):
    """Number nearest to a value, and whether that is another one (1 bit)."""

    value: Value
    outside: Value


def fits(value: Value, shape: ShapeLike) -> Value:
    """Return whether a shape can hold a value; 1 bit."""
    held, given = Shape.cast(shape), value.shape()
    # These bits repeat the sign of whatever fits.
    above = value[held.width - held.signed :]
    if not given.signed:
        return ~above.any()
    if not held.signed:
        return ~(above.any() | value[-1])
    return above.all() | ~above.any() if len(above) else Const(1)


def clamp(value: Value, shape: ShapeLike) -> Clamped:
    """Return the number of a shape that is nearest to a value."""
    held = Shape.cast(shape)
    low = -(1 << (held.width - 1)) if held.signed else 0
    high = (1 << (held.width - held.signed)) - 1
    negative = value[-1] if value.shape().signed else Const(0)
    nearest = Mux(negative, Const(low, held), Const(high, held))
    kept = value[: held.width]
    outside = ~fits(value, held)
    # A slice has no sign; a value that is narrower than the shape keeps its own.
    if len(value) < held.width:
        kept = value
    elif held.signed:
        kept = kept.as_signed()
    return Clamped(Mux(outside, nearest, kept), outside)


def tree_sum(terms: Sequence[Value]) -> Value:
    """Add as a balanced tree, which grows by one bit a level instead of one bit a term."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return tree_sum(terms[:middle]) + tree_sum(terms[middle:])


def pick(items: Sequence[Value], number: Value) -> Value:
    """Return one of some items by its unsigned number; arbitrary where no item has the number.

    A tree of multiplexers, without a comparison for each item as an `Array` has.
    """
    chosen = list(items)
    for bit in number[: (len(items) - 1).bit_length()]:
        pairs = itertools.zip_longest(chosen[::2], chosen[1::2], fillvalue=chosen[-1])
        chosen = [Mux(bit, odd, even) for even, odd in pairs]
    return chosen[0]


def shift_left(value: Value, by: Value) -> Value:
    """Return a value times 2^by, `by` unsigned, in stages that are no wider than what can be."""
    for i, bit in enumerate(by):
        value = Mux(bit, value.shift_left(1 << i), value)
    return value


def shift_right(value: Value, by: Value, unit: int = 1) -> Value:
    """Return a value over 2^(unit * by), rounded down, `by` unsigned; a stage for each of its bits.

    A shift by a multiple of `unit` in general form has stages also where its bits are always 0.
    """
    for i, bit in enumerate(by):
        value = Mux(bit, value >> (unit << i), value)
    return value
