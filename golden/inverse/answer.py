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
    config = inversion.config
    size = config.array.rows
    given = checked_integers("words", words, (-1,), *WORD_RANGE)
    shift = drive_shift(config, int(np.abs(given).max(initial=0)))
    codes = drive_codes(given, shift)
    held = inversion.hold(np.pad(codes, (0, size - len(codes)))[None])
    values = held.values[0]
    bits, top = config.inversion.inv_adc_bits, config.inversion.inv_steps - 1
    rounds, clipped = 0, False
    while True:
        adcs = inversion.adcs(step)
        found, beyond = adcs.convert(values)[: len(given)], adcs.beyond(values)[: len(given)]
        rounds += 1
        if beyond.any() and step < top:
            clipped = True
            step += 1
            continue
        # Bits that no code needs; an output that clipped before is not tried at that step again.
        unused = bits - 1 - int(np.where(found < 0, ~found, found).max(initial=0)).bit_length()
        if beyond.any() or clipped or unused == 0 or step == 0:
            break
        step = max(0, step - unused)
    return Answer(
        found,
        step + shift - config.inversion.solution_places,
        step,
        rounds,
        int((beyond & (found >= 0)).sum()),
        int((beyond & (found < 0)).sum()),
        bool(held.saturated[0]),
        bool(held.disturbed[0]),
    )
