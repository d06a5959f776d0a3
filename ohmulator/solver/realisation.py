"""Levels and feedback that realise a prepared matrix as closed loop.

The scale is set by the entries off the diagonal. What the diagonal has beyond the range of a cell,
and what stability asks for, is carried by the feedback conductances.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.inverse.loop import close
from golden.inverse.terminals import admittance
from spec.config import ChipConfig

Floats = NDArray[np.float64]

TOPS = 1.0, 0.93, 0.86, 0.79, 0.72, 0.65, 0.58, 0.5, 1.15, 1.3, 1.5, 2.0
"""Levels that candidates give the largest entry off the diagonal, as shares of the highest."""

SPREAD = 3.0
"""Standard deviations of a cell that the margin of stability covers, in every direction at once."""


@dataclass(frozen=True)
class Realisation:
    """Hold what a loop is programmed to.

    Attributes
    ----------
    scale
        Levels for an entry of 1.
    digits
        [n, n], signed levels of the cells.
    feedback
        Codes [n] of the feedback conductances.
    radius
        Spectral radius of I - A A0^-1, with the nominal A0: refinement converges below 1.
    added
        Levels that stability has added to every row's feedback.
    """

    scale: float
    digits: NDArray[np.int64]
    feedback: NDArray[np.int64]
    radius: float
    added: float

    def levels(self, config: ChipConfig) -> Floats:
        """Return the nominal system [n, n] of the loop, in levels."""
        return _levels(config, self.digits, self.feedback)


def realise(config: ChipConfig, matrix: Floats) -> Realisation:
    """Return the realisation of a matrix [n, n] with the smallest spectral radius."""
    n = len(matrix)
    off = np.abs(matrix - np.diag(np.diag(matrix))).max(initial=0.0)
    highest = config.levels - 1
    # A diagonal matrix has its entries on the levels, as far as feedback does not help.
    base = highest / (off or np.abs(matrix).max())
    best: Realisation | None = None
    for top in TOPS:
        candidate = _candidate(config, matrix, base * top)
        if candidate is not None and (best is None or candidate.radius < best.radius):
            best = candidate
    if best is None:
        raise ArithmeticError(f"no loop of {n} op-amps was found")
    return best


def _candidate(config: ChipConfig, matrix: Floats, scale: float) -> Realisation | None:
    n, highest = len(matrix), config.levels - 1
    wanted = scale * matrix
    digits = np.clip(np.rint(wanted), -highest, highest).astype(np.int64)
    diagonal = np.diag(wanted) - np.diag(digits)
    added = _added(config, digits, np.maximum(diagonal, 0.0))
    if added is None:
        return None
    feedback = _codes(config, np.maximum(diagonal + added, 0.0))
    if feedback.max() > config.inversion.feedback_top:
        return None
    levels = _levels(config, digits, feedback)
    try:
        errors = np.eye(n) - wanted @ np.linalg.inv(levels)
    except np.linalg.LinAlgError:
        return None
    radius = float(np.abs(np.linalg.eigvals(errors)).max())
    return Realisation(scale, digits, feedback, radius, added)


def _added(config: ChipConfig, digits: NDArray[np.int64], diagonal: Floats) -> float | None:
    """Return the smallest feedback, in levels, that makes the loop stable with a margin."""
    deviation = config.physics.cells.program_error
    # The radius of a random matrix of two cells an entry.
    margin = SPREAD * deviation * np.sqrt(2 * len(digits)) / 2 + 0.25
    lowest, highest = 0.0, 0.5
    most = np.ldexp(config.inversion.feedback_top, -config.inversion.feedback_fraction_bits)
    if stable(config, digits, diagonal - margin):
        return 0.0
    while not stable(config, digits, diagonal + highest - margin):
        lowest, highest = highest, 2 * highest
        if highest > most:
            return None
    while highest - lowest > max(0.25, highest / 16):
        middle = (lowest + highest) / 2
        if stable(config, digits, diagonal + middle - margin):
            highest = middle
        else:
            lowest = middle
    return highest


def stable(config: ChipConfig, digits: NDArray[np.int64], diagonal: Floats) -> bool:
    """Tell whether the loop of nominal cells and a diagonal [n] in levels is stable."""
    g_s = np.full((len(digits), 2 * len(digits)), config.array.g_min_s)
    g_s[:, 0::2] += np.maximum(digits, 0) * config.g_step_s
    g_s[:, 1::2] += np.maximum(-digits, 0) * config.g_step_s
    loop = close(
        admittance(g_s, config.physics.wires),
        diagonal * config.g_step_s,
        config.inversion.input_levels * config.g_step_s,
        config.physics.amplifiers,
    )
    return loop.abscissa < 0


def _codes(config: ChipConfig, levels: Floats) -> NDArray[np.int64]:
    return np.rint(np.ldexp(levels, config.inversion.feedback_fraction_bits)).astype(np.int64)


def _levels(
    config: ChipConfig, digits: NDArray[np.int64], feedback: NDArray[np.int64]
) -> Floats:
    fractions = np.ldexp(feedback.astype(np.float64), -config.inversion.feedback_fraction_bits)
    return digits + np.diag(fractions)
