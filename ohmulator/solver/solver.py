"""Solve systems of equations to high precision on a chip of low-precision cells.

solver = Solver(matrix)
solution = solver.solve(b)
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator

from golden.inverse.inversion import Inversion
from ohmulator.host.host import Host
from ohmulator.solver.array_inverse import ArrayInverse, Inverse
from ohmulator.solver.batch import refine_batch
from ohmulator.solver.choice import best_of, input_levels, sized
from ohmulator.solver.counts import Counts
from ohmulator.solver.forms import Form, Numbers, checked_form, checked_side
from ohmulator.solver.inverses import Inverses
from ohmulator.solver.krylov import Callback, fgmres
from ohmulator.solver.on_chip import OnChip, SetTile
from ohmulator.solver.outcome import Course, Method, Reason, Solution
from ohmulator.solver.piece import Piece
from ohmulator.solver.preparation import prepare
from ohmulator.solver.products import Products, require_exact
from ohmulator.solver.realisation import CONTRACTING
from ohmulator.solver.refine import refine
from ohmulator.solver.system import System
from spec.config import ChipConfig
from spec.consistency import require_invertible
from spec.errors import require, require_integer, require_number
from spec.load import load

Floats = NDArray[np.float64]
MOST_SLICES = 10
"""Slices of 3 bits that fit a weight of 32 bits."""

FINEST = 1e-9
"""Tightest tolerance of a chip's own residual: words of 32 bits have no more."""

PRODUCT_BITS = 40
"""Bits of a vector that the operator of the matrix multiplies."""

WORST_CONDITION = 2.0**30
"""Condition number of a prepared matrix beyond which weights of 30 bits determine no solution."""

CAUTION = 1.0, 2.0, 4.0
"""Margins of stability that are tried in turn, as multiples of the usual one."""

CURABLE = Reason.UNSETTLED, Reason.DIVERGED, Reason.STAGNATED
"""Ends of an iteration for which a loop that is further from instability is tried."""


class Solver:
    """A matrix on a chip, for any number of right-hand sides.

    Parameters
    ----------
    matrix
        [m, n], an array or a sparse matrix, real or complex.
    config
        Chip. A system larger than its arrays (a complex one counts twice) is inverted by blocks. By
        default the preset `solver` with arrays of the size of the system.
    method
        A `Method` or its name.
    least_squares
        Solve the normal equations, as a matrix that is not square needs.
    host
        Host of a chip that does it instead of a model, with arrays that hold the whole system. What
        the loop looks like is still the model's to say.
    set_tile
        Sets conductances where its array is simulated; by default it programs them.

    Attributes
    ----------
    config
        Chip in use.
    prepared, realisations, inverse
        What became of the matrix, see their modules.
    exact
        Whether the chip's products are exact, with its physics.
    counts
        What the chip has done.
    cells
        Cells that were programmed: those of loops, and of all slices of the products.

    Raises
    ------
    UserError
        If an argument is refused, the matrix does not fit the chip, is singular by its pattern, or
        has no stable loop.
    """

    def __init__(
        self,
        matrix: object,
        config: ChipConfig | None = None,
        *,
        method: Method | str = Method.AUTO,
        least_squares: bool = False,
        host: Host | None = None,
        set_tile: SetTile | None = None,
    ):
        known = ", ".join(Method)
        require(method in list(Method), f"method must be one of {known}, not {method!r}")
        self.form: Form = checked_form(matrix, least_squares=least_squares)
        self._square = self.form.square
        self._host, self._set_tile = host, set_tile
        self._given = config if host is None else host.config
        self.method = Method(method)
        self._caution = self.cells = 0
        self.counts = Counts()
        self._on_chip: OnChip | None = None
        self._slices = 0 if self._given else load("solver").array.slices
        self._make()

    @property
    def size(self) -> int:
        """Unknowns of the real square system."""
        return len(self._square)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        rows, columns = self.form.matrix.shape
        return rows, columns

    @property
    def condition(self) -> float | None:
        """Condition number of the prepared matrix, in the Euclidean norm."""
        return self.prepared.condition

    @property
    def definite(self) -> bool | None:
        """Whether the matrix is symmetric and positive definite."""
        return self.prepared.definite

    @property
    def loops(self) -> list[Inversion]:
        """Loops of all arrays."""
        return self.inverse.loops

    def solve(
        self,
        b: ArrayLike,
        *,
        tolerance: float = 1e-7,
        iterations: int = 200,
        callback: Callback | None = None,
    ) -> Solution:
        """Solve for one right-hand side [m].

        Parameters
        ----------
        b
            Right-hand side.
        tolerance
            Relative residual at which it ends, see `Solution.residual`.
        iterations
            Bound on the iterations.
        callback
            Called with the relative residual after each iteration.

        Raises
        ------
        UserError
            If an argument is refused.
        """
        side = checked_side(self.form.matrix, b)
        require(side.ndim == 1, "solve takes one right-hand side: solve them one after the other")
        tolerance = require_number("tolerance", tolerance, 1e-14, 1.0, "of the right-hand side")
        iterations = require_integer("iterations", iterations, 1, 100_000)
        before = replace(self.counts)
        while True:
            solution = self._attempt(side, tolerance, iterations, callback)
            solution.counts = self.counts.since(before)
            if solution.solved or not self._more_cautious(solution):
                return solution

    def raise_feedback(self) -> bool:
        """Program the loop anew, further from instability; tell whether there was a way to."""
        if self._caution + 1 == len(CAUTION):
            return False
        self._caution += 1
        self._make()
        return True

    def refine_all(self, b: ArrayLike, *, iterations: int) -> NDArray[Any]:
        """Refine the solutions of many right-hand sides [m, k] together, on one array of a model.

        Returns solutions [iterations, n, k] after each iteration; how good they are is for the
        caller to say, who may `raise_feedback` and try again.

        Raises
        ------
        UserError
            If an argument is refused, the matrix does not fit one array, or its loop does not
            settle.
        """
        side = checked_side(self.form.matrix, b)
        iterations = require_integer("iterations", iterations, 1, 100_000)
        require(side.ndim == 2, "refine_all takes right-hand sides as columns [m, k]")
        while None in [loop.settle_cycles for loop in self.loops] and self.raise_feedback():
            pass
        inverse = self.inverse
        require(
            isinstance(inverse, ArrayInverse) and self._on_chip is None,
            "refine_all needs a model with an array that holds the whole system: take larger ones",
        )
        assert isinstance(inverse, ArrayInverse)
        prepared, form = self.prepared, self.form
        right_sides = [prepared.right_side(form.right_side(column)) for column in side.T]
        history = refine_batch(self._products, inverse, np.array(right_sides), iterations)
        found = [[form.solution(prepared.solution(x)) for x in xs] for xs in history]
        return np.array(found).transpose(0, 2, 1)

    def product(self) -> LinearOperator:
        """Return the matrix on the chip as an operator of SciPy, exact for the weights it holds."""
        return LinearOperator((self.size, self.size), matvec=self._product, dtype=np.float64)

    def preconditioner(self) -> LinearOperator:
        """Return the loop as an approximate inverse, `M` of SciPy's iterative solvers.

        Its answers are of few bits, and not quite linear: a flexible method makes the most of it.
        """
        return LinearOperator((self.size, self.size), matvec=self._inverse, dtype=np.float64)

    def _make(self) -> None:
        """Choose preparation and realisation, and program the chip."""
        rows = self._given.array.rows if self._given else self.size
        self.config = self._given or sized(load("solver"), self.size, self._slices)
        require_invertible(self.config)
        require_exact(self.config)
        caution = CAUTION[self._caution]
        if self.size <= rows:
            self.prepared, realisation = best_of(self.config, self._square, caution)
            while self._given is None:
                levels = input_levels(realisation.levels(self.config))
                self.config = self.config.replace(input_levels=levels)
                if realisation.settles(self.config):
                    break
                # A loop that its input conductance has damped needs more feedback without.
                self.prepared, realisation = best_of(self.config, self._square, caution)
        else:
            self.prepared, realisation = prepare(self._square, scaled=False), None
        products = Products(self.config, self.prepared.matrix, self.counts)
        self._products, self.exact = products, products.exact
        inverses = Inverses(self.config, self.counts, caution)
        if realisation:
            self.inverse: Inverse = inverses.of(self.prepared.matrix, products.scale, realisation)
        else:
            self.inverse = inverses.by_blocks(self.prepared.matrix, products.scale, products)
        self.realisations = inverses.realisations
        loops = sum(each.cells.size for each in self.realisations)
        self.cells += 2 * (loops + self.size**2 * self.config.array.slices)
        self._system, self._identity = System(products, self.inverse), System(products, None)
        if self._host is not None:
            require(
                realisation is not None,
                f"a system of {self.size} real unknowns is larger than an array of the chip, which "
                f"has {rows} rows: take a model",
            )
            assert realisation
            self._on_chip = OnChip(self._host, products, realisation, self.counts, self._set_tile)
            self._system = System(self._on_chip, self._on_chip)

    def _attempt(
        self, side: Numbers, tolerance: float, iterations: int, callback: Callback | None
    ) -> Solution:
        form, prepared = self.form, self.prepared
        right_side = prepared.right_side(form.right_side(side))
        # The scalings change the norm: the residual of the given system is what counts.
        tighter = tolerance / 2
        while True:
            method, course = self._iterate(right_side, tighter, iterations, callback)
            best = form.solution(prepared.solution(course.solution))
            residual = form.residual(best, side)
            if course.reason is not Reason.TOLERANCE or residual <= tolerance:
                break
            if tighter <= FINEST or not self.exact:
                course.reason = Reason.WEIGHTS if self.exact else Reason.PRODUCTS
                break
            tighter = max(FINEST, tighter * min(0.1, tolerance / residual))
        if self._on_chip is not None:
            self._on_chip.count()
        solved = residual <= tolerance
        reason = Reason.TOLERANCE if solved else course.reason
        said = self.inverse.answers
        whole = len(self.realisations) == 1 and self._on_chip is None
        answers = said[len(said) - len(course.residuals) + 1 :] if whole else []
        without = self._without_loop(method, right_side, len(course.residuals) - 1)
        return Solution(
            best if solved else None,
            best,
            residual,
            reason,
            method,
            course.residuals,
            form.residual(form.solution(prepared.solution(without)), side),
            answers,
        )

    def _iterate(
        self, right_side: Floats, tolerance: float, iterations: int, callback: Callback | None
    ) -> tuple[Method, Course]:
        """Solve the prepared system by the method asked for, or the one that promises most."""
        if self.prepared.condition > WORST_CONDITION:
            return self.method, Course(np.zeros(len(right_side)), Reason.CONDITION, [1.0])
        if any(loop.settle_cycles is None for loop in self.inverse.loops):
            return self.method, Course(np.zeros(len(right_side)), Reason.UNSETTLED, [1.0])
        promising = len(self.realisations) > 1 or self.realisations[0].radius <= CONTRACTING
        if self.method is Method.REFINE or (self.method is Method.AUTO and promising):
            if self._on_chip is not None:
                course = self._on_chip.refine(right_side, tolerance, iterations, callback)
            else:
                course = refine(self._system, right_side, tolerance, iterations, callback)
            if course.reason is Reason.TOLERANCE or self.method is Method.REFINE:
                return Method.REFINE, course
        course = fgmres(
            self._system.step, right_side, rtol=tolerance, maxiter=iterations, callback=callback
        )
        return Method.FGMRES, course

    def _without_loop(self, method: Method, right_side: Floats, iterations: int) -> Floats:
        if iterations == 0:
            return np.zeros(len(right_side))
        if method is Method.REFINE:
            return refine(self._identity, right_side, 0.0, iterations).solution
        return fgmres(self._identity.step, right_side, rtol=0.0, maxiter=iterations).solution

    def _more_cautious(self, solution: Solution) -> bool:
        """Program the chip anew where that may help; tell whether it was."""
        if solution.reason is Reason.WEIGHTS:
            if self._given or self._slices == MOST_SLICES:
                return False
            self._slices = MOST_SLICES
        elif solution.reason in CURABLE:
            return self.raise_feedback()
        else:
            return False
        self._make()
        return True

    def _product(self, vector: Floats) -> Floats:
        """Return A v, v cut into as many codes as float64 has bits for."""
        prepared, rest = self.prepared, np.asarray(vector, np.float64).ravel()
        top = self.config.inversion.inv_adc_bits - 1
        total = np.zeros(self.size)
        # prepared = rows_scaled A columns_scaled.
        rest = rest / prepared.column_factors
        for _ in range(math.ceil(PRODUCT_BITS / top)):
            size = float(np.abs(rest).max(initial=0.0))
            if size == 0:
                break
            unit = math.ceil(math.log2(size)) - top + 1
            codes = np.rint(np.ldexp(rest, -unit)).astype(np.int64)
            codes = np.clip(codes, -(1 << top), (1 << top) - 1)
            product = self._system.product([Piece(0, codes, 0)])
            total += np.ldexp(product / self._system.scale, unit)
            rest = rest - np.ldexp(codes.astype(np.float64), unit)
        result = np.empty(self.size)
        result[prepared.rows] = total / prepared.row_factors
        return result

    def _inverse(self, vector: Floats) -> Floats:
        side = self.prepared.right_side(np.asarray(vector, np.float64).ravel())
        if not side.any():
            return np.zeros(self.size)
        direction, _ = self._system.step(side)
        return self.prepared.solution(direction)
