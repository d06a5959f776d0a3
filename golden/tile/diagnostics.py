"""Find what must be known of a result before it means anything."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.array.lines import Array
from golden.checks import checked_integers
from golden.tile.adcs import TileAdcs
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.mapping import split_steps
from golden.tile.tile import Products
from spec.advice import cures, halves
from spec.config import ChipConfig
from spec.errors import require
from spec.physics import WIRES
from spec.tables import MAX_CONVERTER_BITS

MAX_CLIPPED = 0.01
"""Share of conversions out of range. Each is wrong by an unknown amount, and a few already outweigh
the rounding of all others."""

MIN_RANGE_USED = 0.25
"""Share of the ADC's codes. Below it two bits are wasted, where a finer ADC step would use them."""

MAX_IR_DROP = 0.1
"""Share of a line's current. Beyond it the loss is more than one part in ten of every product of
that line, and depends on all other weights."""

MAX_FAILED = 0.01
"""Share of the cells."""


@dataclass(frozen=True)
class Diagnostics:
    """Hold what happened to a batch of products.

    Attributes
    ----------
    clipped_high, clipped_low
        [steps], share of conversions above and below the range, for each slice and the unit column.
    clip_advice
        [steps], what cures it where it is too much, else "".
    range_used
        [steps], from the lowest code that occurred to the highest, as a share of all codes.
    range_wasted
        [steps], whether calibrated steps would use more of it, and not clip.
    ir_drop
        [slices, bit_lines], share of a line's current that the wires take away, 1 - I / I_ideal
        with every word line at the read voltage: the worst case, which depends on no input.
    resistances
        Names of the parameters that make it.
    failed
        [slices, rows, bit_lines], cells that are more than half a level from their target; None
        if no target was given.
    """

    clipped_high: NDArray[np.float64]
    clipped_low: NDArray[np.float64]
    clip_advice: tuple[str, ...]
    range_used: NDArray[np.float64]
    range_wasted: NDArray[np.bool_]
    ir_drop: NDArray[np.float64]
    resistances: tuple[str, ...]
    failed: NDArray[np.bool_] | None

    def warnings(self) -> list[str]:
        """Return a sentence for each reason why the result may mean little, with what cures it."""
        found = []
        clips = zip(self.clipped_high, self.clipped_low, self.clip_advice, strict=True)
        for s, (high, low, advice) in enumerate(clips):
            if advice:
                found.append(
                    f"ADCs of {self._part(s)} clip {100 * (high + low):.3g} % of their conversions "
                    f"({100 * high:.3g} % high, {100 * low:.3g} % low): {advice}"
                )
        for s, used in enumerate(self.range_used):
            if used < MIN_RANGE_USED and self.range_wasted[s]:
                found.append(
                    f"ADCs of {self._part(s)} use {100 * used:.3g} % of their codes: calibrate "
                    "their step"
                )
        worst = float(self.ir_drop.max())
        if worst > MAX_IR_DROP:
            slice_, line = np.unravel_index(int(self.ir_drop.argmax()), self.ir_drop.shape)
            found.append(
                f"wires take up to {100 * worst:.3g} % of a line's current (slice {slice_}, line "
                f"{line}): lower {' or '.join(self.resistances)}, or g_max_s"
            )
        if self.failed is not None and self.failed.mean() > MAX_FAILED:
            found.append(
                f"{int(self.failed.sum())} of {self.failed.size} cells are more than half a level "
                "from their target: results show the faults, not the matrix"
            )
        return found

    def _part(self, index: int) -> str:
        return f"slice {index}" if index < len(self.ir_drop) else "the unit column"


def diagnose(analog: Analog, products: Products, levels: ArrayLike | None = None) -> Diagnostics:
    """Diagnose products; `levels` [slices, rows, bit_lines] are the targets of the cells.

    Raises
    ------
    UserError
        If there are no products, or `levels` are none.
    """
    config = analog.config
    codes, beyond, transposed = products.codes, products.beyond, products.transposed
    require(len(codes) > 0, "there are no products to diagnose: multiply a vector first")

    def parts(values: NDArray[np.generic]) -> list[NDArray[Any]]:
        return split_steps(config, values, transposed=transposed)

    high = np.array([part.mean() for part in parts(beyond & (codes >= 0))])
    low = np.array([part.mean() for part in parts(beyond & (codes < 0))])
    span = np.array([np.ptp(part) + 1 for part in parts(codes)])
    calibrated = calibrate(config, products.held, transposed=transposed)
    clean = _clipped(config, analog.converters, products) <= MAX_CLIPPED
    wires = config.physics.wires
    return Diagnostics(
        high,
        low,
        tuple(
            ""
            if share <= MAX_CLIPPED
            else "calibrate their step"
            if clean[s]
            else _clip_cures(config, products, s)
            for s, share in enumerate(high + low)
        ),
        span / (1 << config.converter.adc_bits),
        clean & (calibrated < products.steps.min(axis=0)),
        ir_drop(analog.array),
        tuple(name for name in WIRES if getattr(wires, name)),
        None if levels is None else failed_cells(analog.array, levels),
    )


def _clipped(config: ChipConfig, adcs: TileAdcs, products: Products) -> NDArray[np.float64]:
    """Return the share [steps] of the held values that clip at calibrated ADC steps."""
    transposed = products.transposed
    steps = calibrate(config, products.held, transposed=transposed)
    beyond = adcs.beyond(products.held, steps[None], transposed=transposed)
    return np.array([part.mean() for part in split_steps(config, beyond, transposed=transposed)])


def _clip_cures(config: ChipConfig, products: Products, part: int) -> str:
    """Return which change of the ADCs makes calibrated ones hold the values of a slice."""
    errors = ("adc_offset", "adc_gain", "adc_inl", "adc_dnl")
    # Tables of errors grow with 2**adc_bits, and values this large have another cause.
    most = min(config.converter.adc_bits + 8, MAX_CONVERTER_BITS)
    return cures(
        config,
        lambda other: _clipped(other, TileAdcs(other), products)[part] <= MAX_CLIPPED,
        {
            **{name: halves(config.value(name)) for name in errors},
            "adc_bits": range(config.converter.adc_bits + 1, most + 1),
        },
    )


def ir_drop(array: Array) -> NDArray[np.float64]:
    """Return the share of its current that each line loses, [slices, bit_lines].

    With every word line at the same voltage; curves of cells are left out.
    """
    ideal = array.g_s.sum(axis=1)
    real = array.effective_s.sum(axis=1)
    return 1 - np.divide(real, ideal, out=np.ones_like(real), where=ideal > 0)


def failed_cells(array: Array, levels: ArrayLike) -> NDArray[np.bool_]:
    """Return which cells are more than half a level from `levels` [slices, rows, bit_lines].

    Raises
    ------
    UserError
        If the shape differs or a level is none of the cells'.
    """
    config = array.config
    checked = checked_integers("levels", levels, array.cells.shape, 0, config.levels - 1)
    target = config.array.g_min_s + checked * config.g_step_s
    return np.abs(array.g_s - target) > config.g_step_s / 2
