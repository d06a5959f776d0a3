"""Arithmetic whose widths follow from its operands: saturation, and sums of many terms."""

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
