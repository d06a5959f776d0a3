"""Measure converters from outside: ramp, code density, sine wave.

A converter is any function from inputs [n, converters] to codes of the same shape, such as
`golden.converter.adc.Adcs.convert`; nothing here knows what is inside. Definitions follow IEEE Std
1241: the transition of code k is the input at which the output becomes k or more; offset and gain
are those of the line through the first and the last transition, INL and DNL what remains, in LSB of
that line. Noise blurs a transition to the level at which half of the samples are beyond.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.checks import checked_array
from spec.errors import UserError, require, require_integer, require_number

Convert = Callable[[NDArray[np.float64]], NDArray[np.int64]]

LARGEST = 1e15
"""Largest input of a measurement."""
MOST_SAMPLES = 1 << 24
"""Longest record."""


@dataclass(frozen=True)
class Linearity:
    """Static errors of converters, one row a converter.

    A converter whose last transition is not above its first has none that could be measured: all
    its values are NaN.

    Attributes
    ----------
    offset
        [converters], what the first transition is late by, in ideal LSB.
    gain
        [converters], relative error: positive where codes are wider than ideal.
    inl
        [converters, transitions] in LSB, 0 at both ends.
    dnl
        [converters, transitions - 1], width of each code less 1, in LSB; -1: a missing code.
    """

    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    inl: NDArray[np.float64]
    dnl: NDArray[np.float64]

    @property
    def missing(self) -> list[NDArray[np.int64]]:
        """Positions in `dnl` of the codes that each measurable converter never gives."""
        return [np.flatnonzero(dnl <= -1 + 1e-9) for dnl in self.dnl]


def linearity(levels: NDArray[np.float64], ideal: NDArray[np.float64]) -> Linearity:
    """Return the errors of transitions, or of DAC levels, [converters, n] against ideal ones [n].

    The ideal ones are equally spaced, one LSB apart.

    Raises
    ------
    UserError
        If there are fewer than two of them, or `levels` have another shape.
    """
    levels = checked_array("levels", levels, (-1, len(ideal)))
    lsb = _lsb(ideal)
    width = (levels[:, -1] - levels[:, 0]) / (len(ideal) - 1)
    width = np.where(width > 0, width, np.nan)
    inl = (levels - levels[:, :1]) / width[:, None] - np.arange(len(ideal))
    offset = np.where(np.isnan(width), width, (levels[:, 0] - ideal[0]) / lsb)
    return Linearity(offset, width / lsb - 1, inl, np.diff(inl, axis=1))


def ramp(
    convert: Convert,
    converters: int,
    ideal: NDArray[np.float64],
    low: int,
    samples: int = 32,
    margin: float = 8.0,
) -> Linearity:
    """Measure with a ramp of `samples` an LSB that reaches beyond the range at both ends.

    Parameters
    ----------
    convert
        The converters.
    ideal
        [n], ideal transitions to the codes `low` + 1 onwards.
    low
        Lowest code.
    samples
        Inputs per LSB: transitions are found to within half of their distance.
    margin
        How far beyond, in ideal LSB: more than offset and gain error shift the ends.

    Raises
    ------
    UserError
        If the first or the last transition of a converter lies beyond the ramp, there are fewer
        than two, or an argument is out of its range.
    """
    lsb = _lsb(ideal)
    samples = require_integer("samples per LSB", samples, 1, MOST_SAMPLES)
    margin = require_number("margin", margin, 0.0, LARGEST, "LSB")
    distance = lsb / samples
    inputs = np.arange(ideal[0] - margin * lsb, ideal[-1] + margin * lsb, distance)
    below = _share_below(convert, converters, inputs, low, len(ideal))
    # The first sample at or past the transition is on average half a distance late.
    return linearity(inputs[0] + (below * len(inputs) - 0.5) * distance, ideal)


def code_density(
    convert: Convert,
    converters: int,
    ideal: NDArray[np.float64],
    low: int,
    samples: int = 1 << 16,
    margin: float = 8.0,
) -> Linearity:
    """Measure with the histogram of a sine wave that overdrives the range at both ends.

    Parameters and errors are those of `ramp`, `samples` the length of the record. A wave of
    amplitude A spends the share acos(-t / A) / pi of its time below t, which places every
    transition.
    """
    samples = require_integer("samples of a sine", samples, 64, MOST_SAMPLES)
    margin = require_number("margin", margin, 0.0, LARGEST, "LSB")
    centre = (ideal[0] + ideal[-1]) / 2
    amplitude = (ideal[-1] - ideal[0]) / 2 + margin * _lsb(ideal)
    phase = np.pi * (np.arange(samples) + 0.5) / samples
    # The half wave from trough to crest holds every voltage once.
    below = _share_below(convert, converters, centre - amplitude * np.cos(phase), low, len(ideal))
    return linearity(centre - amplitude * np.cos(np.pi * below), ideal)


def enob(
    convert: Convert, converters: int, low: float, high: float, samples: int = 4096
) -> NDArray[np.float64]:
    """Return the effective number of bits [converters] for a sine wave from `low` to `high`.

    (SINAD - 1.76 dB) / 6.02 dB, of a coherent record: a number of periods that has no divisor in
    common with the number of samples, so that none repeats. Signal is what a sine of that frequency
    explains, noise and distortion all the rest. The wave should reach over the converter's whole
    range and not beyond it. Bits are negative where noise and distortion exceed the signal. Where
    there is no signal, as of a converter that gives one code alone, none can be measured: NaN.

    Raises
    ------
    UserError
        If there are fewer samples than the 64 that tell a signal from its distortion, or more than
        2**24, or the wave has no ends.
    """
    low = require_number("low end of the wave", low, -LARGEST, LARGEST, "")
    high = require_number("high end of the wave", high, low, LARGEST, "(from the low end)")
    require_integer("samples of a sine", samples, 64, MOST_SAMPLES)
    # About a tenth: the harmonics that matter stay apart from the signal.
    periods = next(n for n in range(samples // 10, samples) if math.gcd(n, samples) == 1)
    phase = 2 * np.pi * periods * np.arange(samples) / samples
    inputs = (low + high) / 2 + (high - low) / 2 * np.sin(phase)
    codes = convert(np.repeat(inputs[:, None], converters, axis=1)).astype(np.float64)
    codes -= codes.mean(axis=0)
    waves = np.stack([np.sin(phase), np.cos(phase)])
    signal = 2 * ((waves @ codes / samples) ** 2).sum(axis=0)
    power = (codes**2).mean(axis=0)
    # Of a record without any noise rounding is all that is left.
    noise = np.maximum(power - signal, np.finfo(np.float64).eps * power)
    sinad = np.divide(signal, noise, out=np.full(converters, np.nan), where=signal > 0)
    bits: NDArray[np.float64] = (10 * np.log10(sinad) - 1.76) / 6.02
    return bits


def _lsb(ideal: NDArray[np.float64]) -> float:
    """Return the distance of ideal levels."""
    require(len(ideal) >= 2, "linearity needs at least two levels: take a converter of more bits")
    return float(ideal[1] - ideal[0])


def _share_below(
    convert: Convert, converters: int, inputs: NDArray[np.float64], low: int, transitions: int
) -> NDArray[np.float64]:
    """Return the share [converters, transitions] of inputs [n] converted to less than a code."""
    codes = convert(np.repeat(inputs[:, None], converters, axis=1)) - low
    counts = np.zeros((converters, transitions + 1))
    for count, each in zip(counts, np.clip(codes, 0, transitions).T, strict=True):
        count[:] = np.bincount(each, minlength=transitions + 1)
    below = counts.cumsum(axis=1)[:, :transitions] / len(inputs)
    beyond = (below[:, 0] == 0) | (below[:, -1] == 1)
    for converter in np.flatnonzero(beyond):
        raise UserError(
            f"converter {converter} has its first or last transition beyond the test: raise the "
            "margin"
        )
    return below
