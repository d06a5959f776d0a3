"""Refinement: solutions of the loop, residuals of exact products, until the residual is small.

    d = A0^-1 r,  x = x + d,  r = r - A d

The residual is computed from what the loop has just said, a few bits wide, so that its product is
exact; it is scaled to 30 bits in each iteration, so that it never runs out of them.
"""

import numpy as np
from numpy.typing import NDArray

from ohmulator.solver.arithmetic import shifted
from ohmulator.solver.krylov import Callback
from ohmulator.solver.outcome import Course, Reason
from ohmulator.solver.piece import joined
from ohmulator.solver.system import System

Floats = NDArray[np.float64]

RESIDUAL_BITS = 30
"""Bits of the largest word of a residual."""

STALLED, WORSE = 6, 1e3
"""Iterations without a new smallest residual, and growth beyond it, that end a refinement."""


def refine(
    system: System,
    right_side: Floats,
    tolerance: float,
    bound: int,
    callback: Callback | None = None,
) -> Course:
    """Solve the prepared system for one right-hand side [n]."""
    size = float(np.abs(right_side).max(initial=0.0))
    course = Course(np.zeros(len(right_side)), Reason.BOUND, [1.0])
    if size == 0:
        course.reason = Reason.TOLERANCE
        return course
    # scale right_side = r 2^unit
    right_side = right_side * system.scale
    size *= system.scale
    unit = int(np.ceil(np.log2(size))) - RESIDUAL_BITS
    r = np.rint(np.ldexp(right_side, -unit)).astype(np.int64)
    start = _norm(r, unit)
    x = np.zeros(len(right_side))
    best, since = 1.0, 0
    for _ in range(bound):
        pieces = system.approximate(r)
        r = r - system.product(pieces)
        x = x + joined(pieces, len(x), unit)
        grown = int(np.abs(r).max(initial=0)).bit_length()
        residual = _norm(r, unit) / start
        r, unit = shifted(r, RESIDUAL_BITS - grown), unit - (RESIDUAL_BITS - grown)
        course.residuals.append(residual)
        if callback:
            callback(residual)
        if residual < best:
            best, since, course.solution = residual, 0, x
        else:
            since += 1
        if residual <= tolerance:
            course.reason = Reason.TOLERANCE
        elif residual > WORSE * best:
            course.reason = Reason.DIVERGED
        elif since >= STALLED:
            course.reason = Reason.STAGNATED
        else:
            continue
        break
    return course


def _norm(r: NDArray[np.int64], unit: int) -> float:
    return float(np.linalg.norm(np.ldexp(r.astype(np.float64), unit)))
