"""What depends on the direction of a product, see `spec.config.Direction`."""

from collections.abc import Callable

from amaranth.hdl import Const, Mux, Value, ValueLike

from spec.config import ChipConfig
from spec.direction import Direction


def directed(
    config: ChipConfig, transposed: ValueLike, of: Callable[[Direction], ValueLike]
) -> Value:
    """Return what `of` says of the direction of a product."""
    values = [of(direction) for direction in config.directions]
    return Mux(transposed, values[-1], values[0])


def looks(config: ChipConfig, adc: int, transposed: Value, group: Value) -> Value:
    """Return whether an ADC looks at an output in a group: the last ADCs have fewer word lines."""
    groups = config.directions[-1].groups
    lines = config.directions[-1].outputs - adc * groups
    return Const(1) if lines >= groups else ~transposed | (group < max(0, lines))
