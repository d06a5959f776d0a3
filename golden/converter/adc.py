"""Analogue-to-digital conversion of held values.

A successive-approximation ADC asks one question per clock cycle: is the held value at or above a
trial level? The search is digital and lives in `hw.converter.adc`; the level is analogue and lives
here. `convert` is what the search must find, `above` the answer to one question, `beyond` the
out-of-range flag; all follow from `threshold`, so that model and RTL cannot drift apart.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.converter.statics import Statics


class AdcErrors:
    """Hold the errors of each ADC of a bank.

    Parameters
    ----------
    statics
        As drawn, for every code.

    Attributes
    ----------
    gain
        [converters], a factor near 1 on every threshold.
    deviation
        [converters, 2**bits + 1] in LSB, added to the thresholds of the lowest code to the one
        past the highest.
    """

    def __init__(self, statics: Statics):
        self.gain = statics.gain
        # The end of the range deviates like the last threshold within it.
        self.deviation = np.concatenate([statics.deviation, statics.deviation[:, -1:]], axis=1)
        self._bits = statics.deviation.shape[1].bit_length() - 1
        self._ladders: dict[int, NDArray[np.float64]] = {}

    def ladder(self, step: int) -> NDArray[np.float64]:
        """Return the levels [converters, 2**bits + 1] at which the codes found change.

        Element k is the smallest value for which a search ends at the k-th code or above. Where
        the thresholds are in order, these are the thresholds. One that is out of order does not
        decide where an earlier question of the search has decided already: each is clipped to
        the interval that the questions before it have left.
        """
        if step in self._ladders:
            return self._ladders[step]
        half = 1 << (self._bits - 1)
        adc = np.arange(len(self.gain))
        adcs = Adcs(self._bits, np.full(len(adc), step), self, adc)
        levels = adcs.threshold(np.arange(-half, half + 1)[:, None]).T
        levels[:, 0], levels[:, -1] = -np.inf, np.inf
        width = 2 * half
        while width > 1:
            middle = levels[:, width // 2 :: width]
            np.clip(middle, levels[:, :-1:width], levels[:, width::width], out=middle)
            width //= 2
        self._ladders[step] = levels
        return levels


class Adcs:
    """ADCs with their steps set.

    Held values are in units: multiples of the current of one unit of weight times one unit of
    input, `ChipConfig.unit_a`. Arguments broadcast against the steps and each other.

    Parameters
    ----------
    bits
        Width of the two's complement codes.
    step
        log2 of a code's width in units, 0 or more, for each ADC.
    errors
        What is off in each ADC; None for ideal ones.
    adc
        With errors: index of the ADC that each step belongs to. Broadcasts against `step`.
    """

    def __init__(
        self,
        bits: int,
        step: NDArray[np.int64],
        errors: AdcErrors | None = None,
        adc: NDArray[np.int64] | int = 0,
    ):
        self.low = -(1 << (bits - 1))
        self.high = -self.low - 1
        self._step = step
        self._width = np.ldexp(1.0, step)
        self._bias = ((1 << step) >> 1) + 0.5
        self._errors = errors
        self._adc = adc

    def threshold(self, code: NDArray[Any] | float) -> NDArray[np.float64]:
        """Return the value from which on an ADC answers `code` (a whole number) or more.

        An exact sum S of units converts to floor((S + half) / 2**step): to the nearest, halves
        up. The level stands half a unit below the first such S, as far as possible from every
        sum that an ideal array can produce, so that rounding in floating point decides nothing.
        Errors move it as `golden.converter.statics` says.
        """
        level = code * self._width - self._bias
        if self._errors is not None:
            level = level * self._errors.gain[self._adc]
            at = np.asarray(code).astype(np.int64) - self.low
            level = level + self._errors.deviation[self._adc, at] * self._width
        return level

    def above(self, held: NDArray[np.float64], code: NDArray[Any] | float) -> NDArray[np.bool_]:
        """Answer one question of the search."""
        return held >= self.threshold(code)

    def beyond(self, held: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which held values lie outside of the range, where the code is clamped."""
        low, high = self._ends
        return (held < low) | (held >= high)

    @cached_property
    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.threshold(self.low), self.threshold(self.high + 1)

    def convert(self, held: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the codes of held values: rounded first, clamped after."""
        if self._errors is not None:
            return self._walk(held, self._errors)
        code = np.floor((held + self._bias) / self._width)
        # The sum rounds, and may land one code beside a level that `above` compares exactly.
        code -= ~self.above(held, code)
        code += self.above(held, code + 1)
        return np.clip(code, self.low, self.high).astype(np.int64)

    def _walk(self, held: NDArray[np.float64], errors: AdcErrors) -> NDArray[np.int64]:
        """Return the codes that the search finds, walking from a guess along the ladder."""
        if held.size == 0:
            return np.zeros(held.shape, np.int64)
        used = np.flatnonzero(np.bincount(self._step.ravel()))
        place = np.zeros(used[-1] + 1, np.int64)
        place[used] = np.arange(len(used))
        ladders = np.stack([errors.ladder(int(step)) for step in used])
        start = (place[self._step] * ladders.shape[1] + self._adc) * ladders.shape[2]
        levels = ladders.ravel()
        guess = np.floor((held / errors.gain[self._adc] + self._bias) / self._width)
        at = start + (np.clip(guess, self.low, self.high) - self.low).astype(np.int64)
        while (up := held >= levels[at + 1]).any():
            at += up
        while (down := held < levels[at]).any():
            at -= down
        return at - start + self.low
