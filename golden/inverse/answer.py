"""An equation in words, answered by the loop: scaled to the DACs, converted with a step that fits.

Held values do not change, so they are converted again with another step where codes clip or leave
half of the range unused; that costs conversions, and no settling.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from golden.inverse.inversion import Inversion
from spec.config import ChipConfig
from spec.isa import WORD_RANGE


@dataclass(frozen=True)
class Answer:
    """Hold the solution `codes` 2^`exponent` of an equation.

    Attributes
    ----------
    codes
        [n], signed(inv_adc_bits).
    exponent
        log2 of the weight of a code.
    step
        ADC step with which they were converted.
    rounds
        Conversions of all outputs until the step fitted.
    clips_high, clips_low
        Codes at an end of the range that stand for values beyond it.
    saturated, disturbed
        As `golden.inverse.inversion.Held` has them.
    """

    codes: NDArray[np.int64]
    exponent: int
    step: int
    rounds: int
    clips_high: int
    clips_low: int
    saturated: bool
    disturbed: bool


def drive_shift(config: ChipConfig, largest: int) -> int:
    """Return the shift to the right that brings words of up to `largest` into the DACs' range.

    The smallest with which the largest word, rounded, is a code; negative for a shift to the left,
    and 0 for no word but 0.
    """
    top = config.inversion.inv_code_top
    if largest == 0:
        return 0
    shift = largest.bit_length() - top.bit_length()
    return shift + (shift > 0 and (largest + (1 << (shift - 1))) >> shift > top)


def drive_codes(words: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    """Return the DAC codes of words: shifted to the right, to the nearest, halves up."""
    if shift > 0:
        return (words + (1 << (shift - 1))) >> shift
    return words << -shift


@dataclass(frozen=True)
class Answers:
    """Hold the solutions of k equations: fields as those of an `Answer`, with an axis [k] first."""

    codes: NDArray[np.int64]
    exponent: NDArray[np.int64]
    step: NDArray[np.int64]
    rounds: NDArray[np.int64]
    clips_high: NDArray[np.int64]
    clips_low: NDArray[np.int64]
    saturated: NDArray[np.bool_]
    disturbed: NDArray[np.bool_]


def answer(inversion: Inversion, words: ArrayLike, step: int) -> Answer:
    """Solve W x = words [n] with the system W of the loop, in levels.

    Parameters
    ----------
    inversion
        The loop, which settles.
    words
        Right-hand side, integers of 32 bits. Where it is shorter than the array the rest is 0.
    step
        ADC step to begin with.

    Raises
    ------
    UserError
        If the words do not fit, or the loop does not settle.
    """
    given = checked_integers("words", words, (-1,), *WORD_RANGE)
    found = answers(inversion, given[None], np.array([step]))
    return Answer(
        found.codes[0],
        int(found.exponent[0]),
        int(found.step[0]),
        int(found.rounds[0]),
        int(found.clips_high[0]),
        int(found.clips_low[0]),
        bool(found.saturated[0]),
        bool(found.disturbed[0]),
    )


def answers(inversion: Inversion, words: ArrayLike, steps: NDArray[np.int64]) -> Answers:
    """Solve for k right-hand sides [k, n] one after the other, each from an ADC step [k] on.

    Raises
    ------
    UserError
        As `answer`.
    """
    config = inversion.config
    size = config.array.rows
    given = checked_integers("words", words, (-1, -1), *WORD_RANGE)
    largest = np.abs(given).max(axis=1, initial=0).tolist()
    shifts = [drive_shift(config, each) for each in largest]
    rows = [drive_codes(side, shift) for side, shift in zip(given, shifts, strict=True)]
    codes = np.array(rows, np.int64).reshape(given.shape)
    count = given.shape[1]
    held = inversion.hold(np.pad(codes, [(0, 0), (0, size - count)]))
    bits, top = config.inversion.inv_adc_bits, config.inversion.inv_steps - 1
    step = steps.copy()
    rounds = np.zeros(len(given), np.int64)
    clipped = np.zeros(len(given), bool)
    found = np.zeros(given.shape, np.int64)
    beyond = np.zeros(given.shape, bool)
    active = np.ones(len(given), bool)
    while active.any():
        for each in np.unique(step[active]):
            these = np.flatnonzero(active & (step == each))
            adcs, values = inversion.adcs(int(each)), held.values[these]
            found[these] = adcs.convert(values)[:, :count]
            beyond[these] = adcs.beyond(values)[:, :count]
        rounds += active
        out = beyond.any(axis=1)
        # Bits that no code needs; an output that clipped before is not tried at that step again.
        magnitude = np.where(found < 0, ~found, found).max(axis=1, initial=0)
        unused = bits - 1 - np.frexp(magnitude)[1]
        coarser = active & out & (step < top)
        finer = active & ~out & ~clipped & (unused > 0) & (step > 0)
        step = np.where(coarser, step + 1, np.where(finer, np.maximum(0, step - unused), step))
        clipped |= coarser
        active = coarser | finer
    return Answers(
        found,
        step + np.array(shifts, np.int64) - config.inversion.solution_places,
        step,
        rounds,
        (beyond & (found >= 0)).sum(axis=1),
        (beyond & (found < 0)).sum(axis=1),
        held.saturated,
        held.disturbed,
    )
