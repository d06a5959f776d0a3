"""What must be known of a result before it means anything."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.array.lines import Array
from golden.tile.analog import Analog
from golden.tile.mapping import split_steps
from golden.tile.tile import Products
from spec.errors import require

MAX_CLIPPED = 0.01
"""Share of conversions out of range. Each is wrong by an unknown amount, and a few already outweigh
the rounding of all others."""

MIN_RANGE_USED = 0.25
"""Share of the ADC's codes. Below it two bits are wasted that a finer step would use."""

MAX_IR_DROP = 0.1
"""Share of a line's current. Beyond it the loss is more than one part in ten of every product of
that line, and depends on all other weights."""

MAX_FAILED = 0.01
"""Share of the cells."""


@dataclass(frozen=True)
class Diagnostics:
    """What happened to a batch of products.

    Attributes
    ----------
    clipped_high, clipped_low
        [steps], share of conversions above and below the range, for each slice and the unit column.
    range_used
        [steps], from the lowest code that occurred to the highest, as a share of all codes.
    finest_step
        [steps], the finest ADC step that was used: at 0 there is no finer one.
    ir_drop
        [slices, bit_lines], share of a line's current that the wires take away, 1 - I / I_ideal
        with every word line at the read voltage: the worst case, which depends on no input.
    failed
        [slices, rows, bit_lines], cells that are more than half a level from their target; None
        if no target was given.
    """

    clipped_high: NDArray[np.float64]
    clipped_low: NDArray[np.float64]
    range_used: NDArray[np.float64]
    finest_step: NDArray[np.int64]
    ir_drop: NDArray[np.float64]
    failed: NDArray[np.bool_] | None

    def warnings(self) -> list[str]:
        """Return a sentence for each way in which the result may mean little."""
        found = []
        for s, (high, low) in enumerate(zip(self.clipped_high, self.clipped_low, strict=True)):
            if high + low > MAX_CLIPPED:
                found.append(
                    f"ADCs of {self._part(s)} clip {100 * (high + low):.3g} % of their conversions "
                    f"({100 * high:.3g} % high, {100 * low:.3g} % low): calibrate their step, or "
                    "raise adc_bits"
                )
        for s, used in enumerate(self.range_used):
            if used < MIN_RANGE_USED and self.finest_step[s]:
                found.append(
                    f"ADCs of {self._part(s)} use {100 * used:.3g} % of their codes: calibrate "
                    "their step"
                )
        worst = float(self.ir_drop.max())
        if worst > MAX_IR_DROP:
            slice_, line = np.unravel_index(int(self.ir_drop.argmax()), self.ir_drop.shape)
            found.append(
                f"wires take up to {100 * worst:.3g} % of a line's current (slice {slice_}, line "
                f"{line}): lower their resistance, the conductances, or the number of rows"
            )
        if self.failed is not None and self.failed.mean() > MAX_FAILED:
            found.append(
                f"{int(self.failed.sum())} of {self.failed.size} cells are more than half a level "
                "from their target: results show the faults, not the matrix"
            )
        return found

    def _part(self, index: int) -> str:
        return f"slice {index}" if index < len(self.ir_drop) else "the unit column"


def diagnose(
    analog: Analog, products: Products, levels: NDArray[np.int64] | None = None
) -> Diagnostics:
    """Diagnose products; `levels` [slices, rows, bit_lines] are the targets of the cells.

    Raises
    ------
    UserError
        If there are no products.
    """
    config = analog.config
    require(len(products.results) > 0, "there are no products to diagnose: multiply a vector first")
    codes, beyond = products.codes, products.beyond

    def parts(values: NDArray[np.generic]) -> list[NDArray[Any]]:
        return split_steps(config, values, transposed=products.transposed)

    span = [int(np.ptp(part)) + 1 for part in parts(codes)]
    return Diagnostics(
        np.array([part.mean() for part in parts(beyond & (codes >= 0))]),
        np.array([part.mean() for part in parts(beyond & (codes < 0))]),
        np.array(span) / (1 << config.converter.adc_bits),
        products.steps.min(axis=0),
        ir_drop(analog.array),
        None if levels is None else failed_cells(analog.array, levels),
    )


def ir_drop(array: Array) -> NDArray[np.float64]:
    """Return the share of its current that each line loses, [slices, bit_lines].

    With every word line at the same voltage; curves of cells are left out.
    """
    ideal = array.g_s.sum(axis=1)
    real = array.effective_s.sum(axis=1)
    return 1 - np.divide(real, ideal, out=np.ones_like(real), where=ideal > 0)


def failed_cells(array: Array, levels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which cells are more than half a level from `levels` [slices, rows, bit_lines]."""
    config = array.config
    target = config.array.g_min_s + levels * config.g_step_s
    return np.abs(array.g_s - target) > config.g_step_s / 2
