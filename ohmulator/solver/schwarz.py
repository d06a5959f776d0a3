"""Overlapping Schwarz: a sparse system much larger than an array, on many arrays.

Each array holds the equations of a part of the unknowns and of their neighbours, and answers for
the part alone (X.-C. Cai and M. Sarkis, SIAM J. Sci. Comput. 21, 1999). Before them a coarse
system, of one unknown a part, smoothed once, carries what is global (smoothed aggregation:
P. Vanek et al., Computing 56, 1996); it is on arrays as well. FGMRES does the rest. The products
with the sparse matrix, and so the residuals, are the host's: in float64, not on the chip.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from golden.inverse.inversion import Inversion
from ohmulator.solver.array_inverse import Inverse
from ohmulator.solver.choice import best_of, sized
from ohmulator.solver.counts import Counts
from ohmulator.solver.forms import checked_side
from ohmulator.solver.inverses import Inverses
from ohmulator.solver.krylov import Callback, fgmres
from ohmulator.solver.outcome import Method, Reason, Solution
from ohmulator.solver.partition import graph_of, grown, parts
from ohmulator.solver.piece import joined
from ohmulator.solver.preparation import Prepared, prepare
from ohmulator.solver.realisation import Realisation
from spec.config import ChipConfig
from spec.consistency import require_invertible
from spec.errors import UserError, require, require_integer, require_number, shown
from spec.load import load

Floats = NDArray[np.float64]
Nodes = NDArray[np.int64]

ARRAY = 64
"""Rows of the arrays of the default chip."""

CORE_SHARE = 0.5
"""Unknowns of a part without its neighbours, as a share of the rows of an array."""

DAMPING = 2 / 3
"""Of the Jacobi step that smooths the coarse space."""

WORD_BITS = 30
"""Bits of the largest word of a residual that an array is given."""


@dataclass(frozen=True)
class Local:
    """A prepared matrix in the loops of the chip, and the unknowns that it is for."""

    nodes: Nodes
    prepared: Prepared
    inverse: Inverse

    def solve(self, residual: Floats) -> Floats:
        """Return about the solution for a residual [k]."""
        side = self.prepared.right_side(residual)
        largest = float(np.abs(side).max(initial=0.0))
        if largest == 0:
            return np.zeros(len(side))
        unit = math.ceil(math.log2(largest)) - WORD_BITS
        pieces = self.inverse.approximate(np.rint(np.ldexp(side, -unit)).astype(np.int64))
        return self.prepared.solution(joined(pieces, len(side), unit))


class Schwarz:
    """A sparse matrix [n, n] on the arrays of a modelled chip.

    Parameters
    ----------
    matrix
        Sparse, real and square.
    config
        Chip; as many arrays as there are parts are taken. By default the preset `solver` with
        arrays of 64 x 64.
    coarse
        Whether there is a coarse system.

    Attributes
    ----------
    config
        The chip.
    counts
        What they have done.

    Raises
    ------
    UserError
        If the matrix is none of these, or a part of it has no stable loop.
    """

    def __init__(self, matrix: object, config: ChipConfig | None = None, *, coarse: bool = True):
        config = config or sized(load("solver"), ARRAY, load("solver").array.slices)
        require_invertible(config)
        self.matrix = checked_sparse(matrix)
        self.config = config
        self.counts = Counts()
        self._inverses = Inverses(config, self.counts, 1.0)
        rows = config.array.rows
        graph = graph_of(self.matrix)
        cores = list(parts(graph, max(1, math.floor(CORE_SHARE * rows))))
        self._cores = [len(core) for core in cores]
        self._locals = [self._local(grown(graph, core, rows)) for core in cores]
        self._coarse: Local | None = None
        if coarse and len(cores) > 1:
            self._prolongation = smoothed(self.matrix, cores)
            system = (self._prolongation.T @ self.matrix @ self._prolongation).toarray()
            prepared = prepare(system, scaled=False)
            inverse = self._inverses.by_blocks(prepared.matrix, 1.0)
            self._coarse = Local(np.arange(len(cores)), prepared, inverse)

    @property
    def size(self) -> int:
        """Unknowns."""
        return int(self.matrix.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return self.size, self.size

    @property
    def condition(self) -> float | None:
        """Condition number of the matrix: not known."""
        return None

    @property
    def definite(self) -> bool | None:
        """Whether the matrix is symmetric and positive definite: not known."""
        return None

    @property
    def cells(self) -> int:
        """Cells of all loops that are programmed."""
        return sum(2 * each.cells.size for each in self.realisations)

    @property
    def realisations(self) -> list[Realisation]:
        """Realisations of all arrays."""
        return self._inverses.realisations

    @property
    def loops(self) -> list[Inversion]:
        """Loops of all arrays."""
        coarse = [self._coarse] if self._coarse else []
        return [loop for each in [*self._locals, *coarse] for loop in each.inverse.loops]

    def solve(
        self,
        b: ArrayLike,
        *,
        tolerance: float = 1e-7,
        iterations: int = 200,
        callback: Callback | None = None,
    ) -> Solution:
        """Solve for one right-hand side [n], as `ohmulator.solver.solver.Solver.solve`."""
        side = np.real(checked_side(self.matrix, b))
        require(side.ndim == 1, f"solve for one right-hand side at a time, not {side.ndim} axes")
        tolerance = require_number("tolerance", tolerance, 1e-14, 1.0, "of the right-hand side")
        iterations = require_integer("iterations", iterations, 1, 100_000)
        before = Counts() + self.counts
        course = fgmres(
            self._step, side, rtol=tolerance, maxiter=iterations, restart=100, callback=callback
        )
        count = len(course.residuals) - 1
        without = fgmres(self._identity, side, rtol=0.0, maxiter=count, restart=100)
        size = float(np.linalg.norm(side)) or 1.0
        residual = float(np.linalg.norm(side - self.matrix @ course.solution)) / size
        solved = residual <= tolerance
        return Solution(
            course.solution if solved else None,
            course.solution,
            residual,
            Reason.TOLERANCE if solved else course.reason,
            Method.FGMRES,
            course.residuals,
            float(np.linalg.norm(side - self.matrix @ without.solution)) / size,
            [],
            self.counts.since(before),
        )

    def _local(self, nodes: Nodes) -> Local:
        block = self.matrix[nodes][:, nodes].toarray()
        prepared, realisation = best_of(self.config, block, 1.0)
        return Local(nodes, prepared, self._inverses.of(prepared.matrix, 1.0, realisation))

    def _step(self, vector: Floats) -> tuple[Floats, Floats]:
        """Return about A^-1 vector [n], and A times that."""
        direction, residual = np.zeros(self.size), vector
        if self._coarse:
            direction = self._prolongation @ self._coarse.solve(self._prolongation.T @ vector)
            residual = vector - self.matrix @ direction
        for local, core in zip(self._locals, self._cores, strict=True):
            direction[local.nodes[:core]] += local.solve(residual[local.nodes])[:core]
        return direction, self.matrix @ direction

    def _identity(self, vector: Floats) -> tuple[Floats, Floats]:
        return vector, self.matrix @ vector


def smoothed(matrix: sp.csr_array, cores: list[Nodes]) -> sp.csr_array:
    """Return the coarse space [n, parts]: 1 on each part, smoothed by a step of Jacobi."""
    size = matrix.shape[0]
    columns = np.repeat(np.arange(len(cores)), [len(core) for core in cores])
    constants = sp.csr_array(
        (np.ones(size), (np.concatenate(cores), columns)), shape=(size, len(cores))
    )
    diagonal = matrix.diagonal()
    inverse = sp.diags_array(np.where(diagonal == 0, 0.0, 1 / np.where(diagonal, diagonal, 1.0)))
    return sp.csr_array(constants - DAMPING * (inverse @ (matrix @ constants)))


def checked_sparse(matrix: object) -> sp.csr_array:
    """Return a real square sparse matrix, or raise `UserError`."""
    require(sp.issparse(matrix), "the matrix must be sparse")
    found = sp.csr_array(matrix)
    rows, columns = found.shape
    require(rows == columns, f"the matrix of {rows} x {columns} is not square")
    require(not np.iscomplexobj(found.data), "the matrix is complex: make it real, of double size")
    entries = found.tocoo()
    bad = np.flatnonzero(~np.isfinite(entries.data))
    if len(bad):
        place = f"({entries.row[bad[0]]}, {entries.col[bad[0]]})"
        value = shown(entries.data.item(bad[0]))
        raise UserError(f"the matrix must be finite, but entry {place} is {value}")
    return found.astype(np.float64)
