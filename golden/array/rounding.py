"""Rounding of factors to so few bits that no sum of their products rounds.

A product of one vector and one of a batch run through different code of the same library, and add
up in different orders. Where nothing rounds the order does not matter: currents do not depend on
how many planes are driven at once. A value on a threshold would be converted differently by the
model, which drives batches, and in co-simulation, which drives plane by plane.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.converter.dac import Dacs
from spec.advice import CurableError, halves, lower
from spec.config import ChipConfig
from spec.physics import LARGEST, Physics

EXACT_BITS = 53
"""Bits of magnitude that float64 sums without rounding."""

FRACTION_BITS = 12
"""Drive that is not a whole number of DAC codes is rounded to 2**-12 of one. Cells are rounded to
what the sum leaves, at most to 2**-12 of a level where there is any physics."""

VARIANCE_BITS = 18
"""For the variance of noise, squares of the drive are rounded to 2**-18 of the largest."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rounding:
    """Bits behind the point that factors are rounded to.

    Attributes
    ----------
    cell
        Of conductances in levels.
    square, cell_square
        Of squares of drive and of conductances, for the variance of noise.
    """

    cell: int
    square: int
    cell_square: int

    @classmethod
    def of(cls, config: ChipConfig, dacs: Dacs) -> "Rounding":
        """Return what a configuration and its DACs leave.

        Raises
        ------
        UserError
            If cells cannot be as fine as the physics needs.
        """
        drive = _drive_bits(config, dacs)
        spare, needed = _spare_bits(config, dacs), _needed_bits(config)
        if spare < needed:
            converter, converters = config.converter, config.physics.converters
            noise = ("dac_offset", "dac_gain", "dac_inl", "dac_dnl", "dac_noise")
            raise CurableError(
                f"sums of {config.drive_lines} inputs, dac_bits={converter.dac_bits} and "
                f"cell_bits={config.array.cell_bits} leave {spare} bits below a level, and this "
                f"physics needs {needed}",
                config,
                lambda other: _spare_bits(other, Dacs(other)) >= _needed_bits(other),
                {
                    "dac_bits": lower(converter.dac_bits, 1),
                    "cell_bits": lower(config.array.cell_bits, 1),
                    "g_min_s": halves(config.array.g_min_s),
                    "nonlinearity": halves(config.physics.cells.nonlinearity),
                    **{name: halves(getattr(converters, name)) for name in noise},
                },
            )
        square = VARIANCE_BITS - math.ceil(2 * drive)
        # A transposed product sums up the squares of both cells of a column.
        squares = 2 * (drive + _cell_bits(config)) + config.transposable
        return cls(spare, square, math.floor(_room_bits(config) - squares - square))


def rounded(values: Floats, bits: int) -> Floats:
    """Return multiples of 2**-bits."""
    return np.ldexp(np.rint(np.ldexp(values, bits)), -bits)


def bent(config: ChipConfig, dacs: Dacs, drive: Floats) -> Floats:
    """Return the voltages, in DAC codes, that linear cells would need for the same current."""
    if _whole(config, dacs):
        return drive
    k = config.physics.cells.nonlinearity
    if k:
        top_v = config.converter.v_read_v
        scale = top_v / config.v_step_v / math.sinh(k * top_v)
        drive = scale * np.sinh(k * config.v_step_v * drive)
    return rounded(drive, FRACTION_BITS)


def _whole(config: ChipConfig, dacs: Dacs) -> bool:
    """Tell whether every drive is a whole number of DAC codes."""
    return dacs.ideal and not config.physics.cells.nonlinearity


def _drive_bits(config: ChipConfig, dacs: Dacs) -> float:
    return math.log2(float(bent(config, dacs, np.array(dacs.largest))))


def _cell_bits(config: ChipConfig) -> float:
    return math.log2(LARGEST * config.array.g_max_s / config.g_step_s)


def _room_bits(config: ChipConfig) -> float:
    """Return the bits of one product."""
    return EXACT_BITS - math.log2(config.drive_lines)


def _spare_bits(config: ChipConfig, dacs: Dacs) -> int:
    """Return the bits below a level that the sums leave to cells."""
    fraction = 0 if _whole(config, dacs) else FRACTION_BITS
    drive = _drive_bits(config, dacs)
    return math.floor(_room_bits(config) - drive - _cell_bits(config) - fraction)


def _needed_bits(config: ChipConfig) -> int:
    ideal = config.physics == Physics.of(seed=config.physics.seed)
    return 0 if ideal else FRACTION_BITS
