"""Analogue-to-digital conversion of held column values.

A successive-approximation ADC asks one question per clock cycle: is the held value at or above a
trial level? The search is digital and lives in `hw.adc`; the level is analogue and lives here.
`convert` is what the search must find, `above` the answer to one question, `beyond` the
out-of-range flag; all follow from `threshold`, so that model and RTL cannot drift apart.
"""

import numpy as np
from numpy.typing import NDArray

from golden.config import ChipConfig


class Adcs:
    """ADCs with their steps set.

    Held values are in units: multiples of the current of one unit of weight times one unit of
    input, `ChipConfig.unit_a`. Arguments broadcast against the steps and each other.

    Parameters
    ----------
    config
        Gives the resolution.
    step
        log2 of a code's width in units, 0 or more, for each ADC.
    """

    def __init__(self, config: ChipConfig, step: NDArray[np.int64]):
        self.low = -(1 << (config.adc_bits - 1))
        self.high = -self.low - 1
        self._width = np.ldexp(1.0, step)
        self._bias = ((1 << step) >> 1) + 0.5

    def threshold(self, code: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the value from which on an ADC answers `code` (a whole number) or more.

        An exact sum S of units converts to floor((S + half) / 2**step): to the nearest, halves
        up. The level stands half a unit below the first such S, as far as possible from every
        sum that an ideal array can produce, so that rounding in floating point decides nothing.
        """
        return code * self._width - self._bias

    def above(
        self, held: NDArray[np.float64], code: NDArray[np.float64] | float
    ) -> NDArray[np.bool_]:
        """Answer one question of the search."""
        return held >= self.threshold(code)

    def beyond(self, held: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which held values lie outside of the range, where the code is clamped."""
        return ~self.above(held, self.low) | self.above(held, self.high + 1)

    def convert(self, held: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the codes of held values: rounded first, clamped after."""
        code = np.floor((held + self._bias) / self._width)
        # The sum rounds, and may land one code beside a level that `above` compares exactly.
        code -= ~self.above(held, code)
        code += self.above(held, code + 1)
        return np.clip(code, self.low, self.high).astype(np.int64)
