"""FGMRES: a Krylov method whose preconditioner may be another one in each iteration.

Y. Saad, "A flexible inner-outer preconditioned GMRES algorithm", SIAM J. Sci. Comput. 14, 1993.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ohmulator.solver.outcome import Course, Reason

Floats = NDArray[np.float64]

Step = Callable[[Floats], tuple[Floats, Floats]]
"""Returns z, about A^-1 v, and the product A z, of a vector v [n] of norm 1."""

Callback = Callable[[float], None]
"""Is told the relative residual after each iteration."""


def fgmres(
    step: Step,
    right_side: Floats,
    *,
    rtol: float = 1e-7,
    restart: int = 60,
    maxiter: int = 200,
    callback: Callback | None = None,
) -> Course:
    """Solve A x = right_side [n].

    Parameters
    ----------
    step
        Preconditioner and product in one, so that both can be of the few bits that a chip says.
    right_side
        [n].
    rtol
        Norm of the residual, as a share of that of the right-hand side, at which it ends.
    restart
        Iterations after which the basis is given up, and the residual computed anew.
    maxiter
        Bound on all iterations.
    callback
        Called after each iteration with the relative residual.
    """
    size = float(np.linalg.norm(right_side))
    found = Course(np.zeros(len(right_side)), Reason.BOUND, [1.0])
    if size == 0:
        found.reason = Reason.TOLERANCE
        return found
    residual = right_side.copy()
    while len(found.residuals) <= maxiter:
        norm = float(np.linalg.norm(residual))
        steps = min(restart, maxiter + 1 - len(found.residuals))
        cycle = _Cycle(residual / norm, norm, steps)
        for _ in range(steps):
            relative = cycle.extend(step) / size
            found.residuals.append(relative)
            if callback:
                callback(relative)
            if relative <= rtol or cycle.broken:
                break
        change, product = cycle.change()
        found.solution = found.solution + change
        residual = residual - product
        true = float(np.linalg.norm(residual))
        if true <= rtol * size:
            found.reason = Reason.TOLERANCE
            break
        # A cycle that gains nothing is followed by others that do not.
        if true > 0.999 * norm:
            found.reason = Reason.STAGNATED
            break
    return found


class _Cycle:
    """One cycle from a first vector of norm 1, up to the restart."""

    def __init__(self, first: Floats, norm: float, steps: int):
        self._basis = [first]
        self._directions: list[Floats] = []
        self._products: list[Floats] = []
        self._triangle = np.zeros((steps + 1, steps))
        self._rotations: list[tuple[float, float]] = []
        self._sides = np.zeros(steps + 1)
        self._sides[0] = norm
        self.broken = False

    def extend(self, step: Step) -> float:
        """Add a direction; return the norm of the residual."""
        k = len(self._directions)
        direction, product = step(self._basis[-1])
        self._directions.append(direction)
        self._products.append(product)
        column = self._triangle[:, k]
        left = product.copy()
        size = float(np.linalg.norm(left))
        # Twice, or the basis loses its orthogonality.
        for _ in range(2):
            for row, vector in enumerate(self._basis):
                share = float(vector @ left)
                column[row] += share
                left -= share * vector
        column[k + 1] = np.linalg.norm(left)
        self.broken = bool(column[k + 1] <= 1e-14 * size)
        if not self.broken:
            self._basis.append(left / column[k + 1])
        for row, (cosine, sine) in enumerate(self._rotations):
            upper, lower = column[row], column[row + 1]
            column[row] = cosine * upper + sine * lower
            column[row + 1] = cosine * lower - sine * upper
        length = float(np.hypot(column[k], column[k + 1])) or 1.0
        cosine, sine = column[k] / length, column[k + 1] / length
        self._rotations.append((cosine, sine))
        column[k], column[k + 1] = length, 0.0
        self._sides[k + 1] = -sine * self._sides[k]
        self._sides[k] *= cosine
        return float(abs(self._sides[k + 1]))

    def change(self) -> tuple[Floats, Floats]:
        """Return the change [n] of the solution, and its product with A."""
        k = len(self._directions)
        shares = np.linalg.lstsq(self._triangle[:k, :k], self._sides[:k], rcond=None)[0]
        directions, products = np.array(self._directions), np.array(self._products)
        return np.asarray(shares @ directions), np.asarray(shares @ products)
