"""Levels and feedback that realise a prepared matrix as closed loop.

The scale is set by the entries off the diagonal. What the diagonal has beyond the range of a cell,
and what stability asks for, is carried by the feedback conductances.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.inverse.loop import close
from golden.inverse.terminals import admittance
from ohmulator.solver.krylov import fgmres
from ohmulator.solver.outcome import Reason
from spec.config import ChipConfig
from spec.errors import UserError, digits

Floats = NDArray[np.float64]

TOPS = 1.0, 0.93, 0.86, 0.75, 0.62, 0.5, 1.25, 1.5, 2.0
"""Levels that candidates give the largest entry off the diagonal, as shares of the highest."""

MARGINS = 0.1, 0.4, 1.6
"""Levels that the diagonal of a stable loop may lose, in candidates, beside errors of its cells."""

SPREAD = 2.0
"""Radii of the random matrix of the cells' errors that the margin covers."""

TIME_CONSTANTS = 20.0
"""Slowest time constants that fit into the time within which a loop must settle."""

LEAST_ERROR = 0.05
"""Levels by which cells are off in trials, at least: what a loop answers is never nominal."""

CONTRACTING = 0.6
"""Spectral radius up to which refinement is worth its simplicity."""

GOOD = 0.1
"""Spectral radius with which no other candidate is looked at."""

TRIAL = 1e-7, 80
"""Tolerance and bound of iterations of the trials that compare candidates."""


@dataclass(frozen=True)
class Realisation:
    """Hold what a loop is programmed to.

    Attributes
    ----------
    scale
        Levels for an entry of 1.
    cells
        [n, n], signed levels.
    feedback
        Codes [n] of the feedback conductances.
    radius
        Spectral radius of I - A A0^-1, with the nominal A0: refinement converges below 1.
    added
        Levels that stability has added to every row's feedback.
    promise
        Below 1 the radius, above it the iterations of a trial: of two, take the lesser.
    """

    scale: float
    cells: NDArray[np.int64]
    feedback: NDArray[np.int64]
    radius: float
    added: float
    promise: float

    def levels(self, config: ChipConfig) -> Floats:
        """Return the nominal system [n, n] of the loop, in levels."""
        return _levels(config, self.cells, self.feedback)

    def padded_feedback(self, config: ChipConfig) -> NDArray[np.int64]:
        """Return feedback codes of all rows of a tile: those without use are stable alone."""
        inversion = config.inversion
        rest = (config.levels - 1) << inversion.feedback_fraction_bits
        unused = config.array.rows - len(self.feedback)
        rest = min(inversion.feedback_top, rest)
        return np.pad(self.feedback, (0, unused), constant_values=rest)

    def settles(self, config: ChipConfig) -> bool:
        """Tell whether the nominal loop settles in time on a chip."""
        fraction = np.ldexp(1.0, -config.inversion.feedback_fraction_bits)
        return stable(config, self.cells, self.feedback * fraction)


def realise(config: ChipConfig, matrix: Floats, *, caution: float = 1.0) -> Realisation:
    """Return the realisation of a matrix [n, n] that promises the fewest iterations.

    Parameters
    ----------
    config
        Chip with its physics.
    matrix
        Prepared matrix.
    caution
        Factor on the margin of stability.

    Raises
    ------
    UserError
        If no feedback that the chip has makes the loop stable.
    """
    off = np.abs(matrix - np.diag(np.diag(matrix))).max(initial=0.0)
    highest = config.levels - 1
    base = highest / (off or np.abs(matrix).max())
    best: Realisation | None = None
    for margin in MARGINS:
        for top in TOPS:
            found = _candidate(config, matrix, base * top, caution * margin)
            if found is not None and (best is None or found.promise < best.promise):
                best = found
            if best is not None and best.promise <= GOOD:
                return best
    if best is None:
        levels = np.ldexp(config.inversion.feedback_top, -config.inversion.feedback_fraction_bits)
        raise UserError(
            f"no feedback of up to {digits(float(levels))} levels makes a stable loop of this "
            "matrix: raise feedback_bits"
        )
    return best


def _candidate(
    config: ChipConfig, matrix: Floats, scale: float, margin: float
) -> Realisation | None:
    highest = config.levels - 1
    wanted = scale * matrix
    cells = np.clip(np.rint(wanted), -highest, highest).astype(np.int64)
    diagonal = np.diag(wanted) - np.diag(cells)
    added = _added(config, cells, np.maximum(diagonal, 0.0), margin)
    if added is None:
        return None
    feedback = _codes(config, np.maximum(diagonal + added, 0.0))
    fractions = np.ldexp(1.0, -config.inversion.feedback_fraction_bits)
    # More feedback may be less stable: what is found without the margin is not taken for granted.
    if feedback.max() > config.inversion.feedback_top or not stable(
        config, cells, feedback * fractions
    ):
        return None
    # What the cells will be off is not known, but how much.
    deviation = max(LEAST_ERROR, config.physics.cells.program_error) * np.sqrt(2)
    draw = np.random.default_rng(0).standard_normal(cells.shape)
    try:
        inverse = np.linalg.inv(_levels(config, cells, feedback) + deviation * draw)
    except np.linalg.LinAlgError:
        return None
    errors = np.eye(len(matrix)) - wanted @ inverse
    radius = float(np.abs(np.linalg.eigvals(errors)).max())
    promise = radius if radius <= CONTRACTING else 1.0 + _trial(wanted, inverse, config)
    return Realisation(scale, cells, feedback, radius, added, promise)


def _trial(matrix: Floats, inverse: Floats, config: ChipConfig) -> int:
    """Return the iterations that FGMRES takes with this inverse, rounded as converters do."""
    top = config.inversion.inv_code_top

    def step(vector: Floats) -> tuple[Floats, Floats]:
        exact = inverse @ vector
        unit = np.abs(exact).max() / top
        direction = np.rint(exact / unit) * unit
        return direction, matrix @ direction

    side = np.random.default_rng(0).standard_normal(len(matrix))
    found = fgmres(step, side, rtol=TRIAL[0], maxiter=TRIAL[1], restart=TRIAL[1])
    return len(found.residuals) if found.reason is Reason.TOLERANCE else 2 * TRIAL[1]


def _added(
    config: ChipConfig, cells: NDArray[np.int64], diagonal: Floats, margin: float
) -> float | None:
    """Return the smallest feedback, in levels, that makes the loop stable with a margin."""
    deviation = config.physics.cells.program_error
    # The radius of a random matrix of two cells an entry.
    # The eigenvalues of independent errors lie in a disc of radius deviation sqrt(n).
    margin += SPREAD / 2 * deviation * np.sqrt(2 * len(cells))
    lowest, highest = 0.0, 4 * margin
    most = np.ldexp(config.inversion.feedback_top, -config.inversion.feedback_fraction_bits)
    if stable(config, cells, diagonal - margin):
        return 0.0
    while not stable(config, cells, diagonal + highest - margin):
        lowest, highest = highest, 2 * highest
        if highest > most:
            return None
    while highest - lowest > max(margin / 4, highest / 16):
        middle = (lowest + highest) / 2
        if stable(config, cells, diagonal + middle - margin):
            highest = middle
        else:
            lowest = middle
    return highest


def stable(config: ChipConfig, cells: NDArray[np.int64], diagonal: Floats) -> bool:
    """Tell whether the loop of nominal cells and a diagonal [n] in levels settles in time."""
    g_s = np.full((len(cells), 2 * len(cells)), config.array.g_min_s)
    g_s[:, 0::2] += np.maximum(cells, 0) * config.g_step_s
    g_s[:, 1::2] += np.maximum(-cells, 0) * config.g_step_s
    loop = close(
        admittance(g_s, config.physics.wires),
        diagonal * config.g_step_s,
        config.inversion.input_levels * config.g_step_s,
        config.physics.amplifiers,
    )
    return loop.abscissa < -TIME_CONSTANTS / config.inversion.inv_bound_s


def _codes(config: ChipConfig, levels: Floats) -> NDArray[np.int64]:
    return np.rint(np.ldexp(levels, config.inversion.feedback_fraction_bits)).astype(np.int64)


def _levels(config: ChipConfig, cells: NDArray[np.int64], feedback: NDArray[np.int64]) -> Floats:
    fractions = np.ldexp(feedback.astype(np.float64), -config.inversion.feedback_fraction_bits)
    return cells + np.diag(fractions)
