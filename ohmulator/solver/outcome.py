"""What became of a system: the solution, how good it is, why it ended, what it took."""

import enum
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.inverse.answer import Answer
from ohmulator.solver.counts import Counts

Floats = NDArray[np.float64]


class Method(enum.StrEnum):
    """How a system is solved."""

    AUTO = "auto"
    """Refinement where it promises to converge, else FGMRES."""
    REFINE = "refine"
    FGMRES = "fgmres"


class Reason(enum.StrEnum):
    """Why an iteration ended."""

    TOLERANCE = "the tolerance is reached"
    BOUND = "the bound of iterations is reached"
    DIVERGED = "the residual grows"
    STAGNATED = "the residual stagnates"
    UNSETTLED = "the loop does not settle"
    CONDITION = "the condition number is beyond the precision of the weights"
    PRODUCTS = "products of the chip are not exact with the errors of its cells and converters"
    WEIGHTS = "the weights of the chip are too coarse for this matrix"


@dataclass
class Course:
    """Hold what an iteration did.

    Attributes
    ----------
    solution
        [n], of the smallest residual.
    reason
        Why it ended.
    residuals
        Norm of the residual as the chip has it, over that of the right-hand side: before the first
        and after each iteration.
    """

    solution: Floats
    reason: Reason
    residuals: list[float] = field(default_factory=list)


@dataclass
class Solution:
    """Hold what became of one right-hand side.

    Attributes
    ----------
    x
        [n]; None if the system is not solved.
    best
        [n] of the smallest residual, solved or not.
    residual
        Norm of b - A x over that of b, in float64 and from nothing but A, b and `best`. Of
        least squares, that of the normal equations.
    reason
        Why the iteration ended.
    method
        Refinement or FGMRES.
    residuals
        Relative residuals as the chip has them, before the first and after each iteration.
    identity
        Relative residual that the same number of iterations reaches without the loop.
    answers
        What the loop answered in each iteration.
    counts
        What the chip did.
    """

    x: NDArray[Any] | None
    best: NDArray[Any]
    residual: float
    reason: Reason
    method: Method
    residuals: list[float]
    identity: float
    answers: list[Answer] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    @property
    def solved(self) -> bool:
        """Tell whether the tolerance was reached."""
        return self.x is not None

    @property
    def iterations(self) -> int:
        """Iterations that it took."""
        return len(self.residuals) - 1
