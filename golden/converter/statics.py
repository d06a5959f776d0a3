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

import numpy as np
from numpy.typing import NDArray

from golden.draws import Draw, stream
from spec.errors import require

MAX_ENTRIES = 1 << 24
"""Largest table of deviations of a bank of converters: 128 MiB."""


@dataclass(frozen=True)
class Statics:
    """`gain` [converters], a factor near 1, and `deviation` [converters, 2**bits] in LSB."""

    gain: NDArray[np.float64]
    deviation: NDArray[np.float64]


def draw_statics(
    seed: int,
    kind: Draw,
    converters: int,
    bits: int,
    *,
    offset: float,
    gain: float,
    inl: float,
    dnl: float,
) -> Statics:
    """Draw a bank of converters with errors of the given standard deviations.

    Offset, gain, bow and mismatch are drawn from streams of their own.

    Raises
    ------
    UserError
        If the table would be too large.
    """
    name = kind.name[:3].lower()
    require(
        converters << bits <= MAX_ENTRIES,
        f"errors of {converters} {name.upper()}s of {bits} bits need a table of "
        f"{converters << bits} entries, more than {MAX_ENTRIES}: lower {name}_bits, or set "
        f"{name}_offset, {name}_gain, {name}_inl and {name}_dnl to 0",
    )

    def normal(part: int, width: int) -> NDArray[np.float64]:
        return stream(seed, kind, part).standard_normal((converters, width))

    codes = np.arange(1 << bits)
    u = codes / max(1, codes[-1])
    bow = inl * normal(2, 2) @ np.stack([np.sin(np.pi * u), np.sin(2 * np.pi * u) / 2])
    capacitors = normal(3, bits) * np.sqrt(2.0 ** np.arange(bits) / codes[-1]) * dnl
    mismatch = capacitors @ (codes >> np.arange(bits)[:, None] & 1)
    mismatch -= mismatch[:, -1:] * u
    deviation = offset * normal(0, 1) + bow + mismatch
    return Statics(1 + gain * normal(1, 1)[:, 0], deviation)
