"""The path of an inversion: converters, input and feedback conductances of the closed loop."""

import math
from dataclasses import dataclass

from spec.errors import digits, require
from spec.table import Table


@dataclass(frozen=True)
class InversionConfig(Table):
    """Describe how a tile solves equations with one of its arrays. Validated when made.

    The loop is that of `golden.inverse.loop`. Its scales are powers of two, so that a solution in
    the coordinates of the matrix is a shifted code.

    Parameters
    ----------
    inv_dac_bits
        Width of the two's complement codes that drive the loop. The lowest code is not used: the
        loop inverts, and codes are negated.
    inv_adc_bits
        Width of the two's complement codes of the solution.
    inv_steps
        Settings of the ADC step: with the largest its range is the read voltage of either sign,
        with each lower one half of that.
    input_levels
        Conductance, in levels of a cell, through which a DAC drives its summing node; a power of
        two, which may be below 1. The larger, the higher the outputs for the same codes.
    feedback_bits
        Width of the code of the feedback conductance of each row, which adds to the diagonal.
    feedback_fraction_bits
        Bits of that code below one level of a cell.
    settle_band
        Share of the read voltage that the outputs may still be off when the loop counts as settled,
        whatever the drive.
    inv_bound_s
        Time in seconds after which a loop that has not settled is given up.
    inv_timer_s
        Time in seconds after the drive at which the outputs are sampled, settled or not; 0 waits
        until they have settled.

    Raises
    ------
    UserError
        If a field is out of its range.
    """

    inv_dac_bits: int = 8
    inv_adc_bits: int = 8
    inv_steps: int = 16
    input_levels: float = 4.0
    feedback_bits: int = 12
    feedback_fraction_bits: int = 4
    settle_band: float = 1e-3
    inv_bound_s: float = 10e-6
    inv_timer_s: float = 0.0

    def __post_init__(self) -> None:
        self._integer("inv_dac_bits", 2, 16)
        self._integer("inv_adc_bits", 2, 16)
        self._integer("inv_steps", 1, 32)
        self._number("input_levels", 2.0**-10, 2.0**10, "levels")
        require(
            math.frexp(self.input_levels)[0] == 0.5,
            f"input_levels must be a power of two, not {digits(self.input_levels)}",
        )
        self._integer("feedback_bits", 1, 24)
        self._integer("feedback_fraction_bits", 0, self.feedback_bits, " (feedback_bits)")
        self._number("settle_band", 1e-9, 0.5, "of the read voltage")
        self._number("inv_bound_s", 0.0, 1.0, "seconds")
        self._number("inv_timer_s", 0.0, 1.0, "seconds")

    @property
    def inv_code_top(self) -> int:
        """Largest DAC code; the smallest is its negative."""
        return (1 << (self.inv_dac_bits - 1)) - 1

    @property
    def feedback_top(self) -> int:
        """Largest code of a feedback conductance."""
        return (1 << self.feedback_bits) - 1

    def cycles(self, clock_hz: float, seconds: float | None = None) -> int:
        """Return the clock cycles of a time, by default of the timer or the bound; at least 2."""
        if seconds is None:
            seconds = self.inv_timer_s or self.inv_bound_s
        # Less than a cycle's billionth is the rounding of the product.
        return max(2, math.ceil(seconds * clock_hz - 1e-9))

    @property
    def solution_places(self) -> int:
        """log2 of the held units that a solution of 1 has: the solution of W x = c, W in levels.

        A unit is the width of an ADC code at step 0. It follows from the voltages of a DAC code,
        of an ADC code at the largest step, and from the input conductance.
        """
        ratio = self.inv_adc_bits - self.inv_dac_bits + self.inv_steps - 1
        return ratio + math.frexp(self.input_levels)[1] - 1
