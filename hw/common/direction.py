"""Values that depend on the direction of a product, see `spec.direction.Direction`."""

from collections.abc import Callable

from amaranth.hdl import Const, Mux, Value, ValueLike

from spec.config import ChipConfig
from spec.direction import Direction


def by_direction(
    config: ChipConfig, transposed: ValueLike, of: Callable[[Direction], ValueLike]
) -> Value:
    """Return what `of` says of the direction of a product; `transposed` is 1 bit."""
    values = [of(direction) for direction in config.directions]
    return Mux(transposed, values[-1], values[0])


def has_output(config: ChipConfig, adc: int, transposed: Value, group: Value) -> Value:
    """Return whether an ADC has an output in a group, 1 bit: the last ones have fewer word lines.

    `transposed` is 1 bit, `group` unsigned(select_bits).
    """
    groups = config.directions[-1].groups
    lines = config.directions[-1].outputs - adc * groups
    return Const(1) if lines >= groups else ~transposed | (group < max(0, lines))
