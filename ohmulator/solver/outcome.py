"""What became of a system: the solution, how good it is, why it ended, what it took."""

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
