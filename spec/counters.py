"""Performance counters of the chip and of its tiles."""

from typing import NamedTuple

COUNTER_BITS = 64
"""Wide enough never to wrap: centuries at any clock."""

NOT_COUNTED = (1 << COUNTER_BITS) - 1
"""Value of a counter that a device does not have: models do not count cycles."""


class Counter(NamedTuple):
    """A counter since reset."""

    name: str
    summary: str
    timed: bool = False
    """Whether it depends on time, so that the model does not have it."""


CHIP_COUNTERS = (
    Counter("cycles", "clock cycles", timed=True),
    Counter("busy_cycles", "clock cycles in which a program ran", timed=True),
    Counter("instructions", "instructions completed"),
    Counter("saturations", "words and scalars that did not fit, see the rules"),
    Counter("input_clips", "inputs of products that were clamped to the range of inputs"),
    Counter("reprograms", "blocks programmed into a tile"),
)

TILE_COUNTERS = (
    Counter("cycles", "clock cycles", timed=True),
    Counter("drives", "planes driven onto the lines"),
    Counter("conversions", "ADC conversions finished"),
    Counter("adc_cycles", "cycles in which the ADCs searched", timed=True),
    Counter("clips_high", "conversions of values above the range"),
    Counter("clips_low", "conversions of values below the range"),
    Counter("saturations", "accumulations that did not fit the accumulator"),
    Counter("reads", "reads of single cells"),
    Counter("pulses", "write pulses"),
    Counter("failures", "cells given up by write-verify"),
)
"""Of each tile."""

LOOP_COUNTERS = (
    Counter("settles", "loops that were closed, and sampled"),
    Counter("loop_cycles", "cycles in which the op-amps of a loop were on", timed=True),
    Counter("sense_cycles", "cycles in which the sense amplifiers were on", timed=True),
)
"""Of each tile besides, where tiles can be closed to loops."""
