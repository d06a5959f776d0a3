"""Static errors of converters: what each instance is off, for good.

Converter c puts code k, counted from 0 at the low end, at

    (ideal level of k) (1 + gain[c]) + deviation[c, k] LSB

where the deviation is offset + INL. The INL of an instance is the sum of two curves, both 0 at the
first and the last code, so that they change neither offset nor gain as defined by the end points:

- a smooth bow, z1 sin(pi u) + z2/2 sin(2 pi u) along u from 0 to 1, z1 and z2 drawn with the
  standard deviation `inl`: that of the INL at mid-scale;
- mismatch of binary-weighted capacitors: the one of weight 2^i LSB is off by a draw of standard
  deviation sigma 2^(i/2), and sigma is such that `dnl` is the standard deviation of the DNL where
  all bits change, the worst: dnl = sigma (2^bits - 1)^(1/2).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.draws import Draw, stream
from spec.advice import CurableError, lower
from spec.config import ChipConfig

Side = Literal["dac", "adc", "inv_dac", "inv_adc"]
"""Banks of converters of a tile: those of products, and those of an inversion."""

MAX_ENTRIES = 1 << 24
"""Largest table of deviations of a bank of converters: 128 MiB."""


@dataclass(frozen=True)
class Statics:
    """`gain` [converters], a factor near 1, and `deviation` [converters, 2**bits] in LSB."""

    gain: NDArray[np.float64]
    deviation: NDArray[np.float64]


def faulty(config: ChipConfig, side: Side) -> bool:
    """Tell whether a bank of converters has any static errors."""
    return any(_sizes(config, side).values())


def draw_statics(config: ChipConfig, side: Side) -> Statics:
    """Draw the errors of a bank of converters of a tile.

    Offset, gain, bow and mismatch are drawn from streams of their own.

    Raises
    ------
    UserError
        If the table would be too large.
    """
    sizes = _sizes(config, side)
    kind = side.removeprefix("inv_")
    entries = _entries(config, side)
    if entries > MAX_ENTRIES:
        raise CurableError(
            f"errors of {kind.upper()}s in {side}_bits={config.value(f'{side}_bits')} need a table "
            f"of {entries} entries, more than {MAX_ENTRIES}",
            config,
            lambda other: not faulty(other, side) or _entries(other, side) <= MAX_ENTRIES,
            {
                f"{side}_bits": lower(config.value(f"{side}_bits"), 1),
                **{f"{kind}_{name}": [0.0] for name, size in sizes.items() if size},
            },
        )
    draw, converters, bits = _bank(config, side)
    offset, gain, inl, dnl = sizes.values()

    def normal(part: int, width: int) -> NDArray[np.float64]:
        return stream(config.physics.seed, draw, part).standard_normal((converters, width))

    codes = np.arange(1 << bits)
    u = codes / max(1, codes[-1])
    bow = inl * normal(2, 2) @ np.stack([np.sin(np.pi * u), np.sin(2 * np.pi * u) / 2])
    capacitors = normal(3, bits) * np.sqrt(2.0 ** np.arange(bits) / codes[-1]) * dnl
    mismatch = capacitors @ (codes >> np.arange(bits)[:, None] & 1)
    mismatch -= mismatch[:, -1:] * u
    deviation = offset * normal(0, 1) + bow + mismatch
    return Statics(1 + gain * normal(1, 1)[:, 0], deviation)


class _Bank(NamedTuple):
    """Kind of draw, number and width of the converters of a bank."""

    kind: Draw
    converters: int
    bits: int


def _bank(config: ChipConfig, side: Side) -> _Bank:
    inversion = config.inversion
    return {
        "dac": _Bank(Draw.DAC_STATICS, config.drive_lines, config.code_bits),
        "adc": _Bank(Draw.ADC_STATICS, config.converters, config.converter.adc_bits),
        "inv_dac": _Bank(Draw.INV_DAC_STATICS, config.array.rows, inversion.inv_dac_bits),
        "inv_adc": _Bank(Draw.INV_ADC_STATICS, config.converter.adcs, inversion.inv_adc_bits),
    }[side]


def _entries(config: ChipConfig, side: Side) -> int:
    _, converters, bits = _bank(config, side)
    return converters << bits


def _sizes(config: ChipConfig, side: Side) -> dict[str, float]:
    """Return the standard deviations of the errors by name."""
    kind = side.removeprefix("inv_")
    names = ("offset", "gain", "inl", "dnl")
    return {name: getattr(config.physics.converters, f"{kind}_{name}") for name in names}
