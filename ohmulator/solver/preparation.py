"""A system made fit for an array: scaled by powers of two, large entries on a positive diagonal.

A x = b becomes (R P A C)(C^-1 x) = R P b, with scalings R and C, and rows permuted and their signs
chosen by P. Everything is undone exactly, since all factors are powers of two.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from spec.errors import UserError

Floats = NDArray[np.float64]

SWEEPS = 8
"""Rounds of equilibration; entries are within a factor of two of what more would give."""


@dataclass(frozen=True)
class Prepared:
    """Hold a prepared system.

    Attributes
    ----------
    matrix
        [n, n], the largest entry of each row and column about 1.
    rows
        Row of A [n] that stands in each row of `matrix`.
    row_factors, column_factors
        Powers of two [n], with their signs: matrix = row_factors A[rows] column_factors.
    definite
        Whether it is symmetric and positive definite.
    """

    matrix: Floats
    rows: NDArray[np.int64]
    row_factors: Floats
    column_factors: Floats
    definite: bool

    @property
    def uniform(self) -> bool:
        """Tell whether the scaling is the same everywhere, and changes nothing."""
        factors = np.abs(self.row_factors), np.abs(self.column_factors)
        return all(np.ptp(each) == 0 for each in factors)

    @property
    def condition(self) -> float:
        """Condition number of the matrix, in the Euclidean norm; infinite if it is singular."""
        return float(np.linalg.cond(self.matrix))

    def right_side(self, b: Floats) -> Floats:
        """Return the right-hand side [n] of the prepared system."""
        return self.row_factors * b[self.rows]

    def solution(self, x: Floats) -> Floats:
        """Return the solution [n] of the original system from that of the prepared one."""
        return self.column_factors * x


def prepare(matrix: Floats, *, scaled: bool = True) -> Prepared:
    """Prepare a real square matrix [n, n], with its rows and columns scaled or as they are.

    Raises
    ------
    UserError
        If it is singular by its pattern: some rows have no columns of their own.
    """
    n = len(matrix)
    symmetric = np.array_equal(matrix, matrix.T)
    rows = np.arange(n)
    signs = np.ones(n)
    definite = symmetric and _definite(matrix)
    if not definite:
        rows = matched_rows(matrix)
        signs = np.where(matrix[rows, np.arange(n)] < 0, -1.0, 1.0)
    permuted = signs[:, None] * matrix[rows]
    row_factors = column_factors = np.ones(n)
    if scaled:
        row_factors, column_factors = equilibrated(permuted, symmetric=definite)
    return Prepared(
        row_factors[:, None] * permuted * column_factors,
        rows,
        row_factors * signs,
        column_factors,
        definite,
    )


def equilibrated(matrix: Floats, *, symmetric: bool) -> tuple[Floats, Floats]:
    """Return powers of two [n] for rows and columns that bring their largest entries near 1.

    Scaling by square roots of row and column maxima, in turn (D. Ruiz, RAL-TR-2001-034).
    """
    with np.errstate(divide="ignore"):
        logs = np.log2(np.abs(matrix))
    rows, columns = np.zeros(len(matrix)), np.zeros(len(matrix))
    for _ in range(SWEEPS):
        scaled = logs + rows[:, None] + columns
        change_rows, change_columns = -scaled.max(axis=1) / 2, -scaled.max(axis=0) / 2
        rows, columns = rows + change_rows, columns + change_columns
    # A symmetric matrix keeps its symmetry, one with a pattern its zeros.
    rows, columns = np.round(rows), np.round(columns)
    return np.exp2(rows), np.exp2(rows if symmetric else columns)


def matched_rows(matrix: Floats) -> NDArray[np.int64]:
    """Return for each column the row that the matching of the largest product gives it.

    Entries count by their share of the largest one of their column (I. Duff and J. Koster, SIAM
    J. Matrix Anal. Appl. 22, 2001).

    Raises
    ------
    UserError
        If there is no matching.
    """
    magnitudes = np.abs(matrix)
    where = np.nonzero(magnitudes)
    largest = magnitudes.max(axis=0)[where[1]]
    # Not 0, which would be no entry at all.
    cost = 1.0 + np.log(largest) - np.log(magnitudes[where])
    graph = sp.coo_array((cost, where), matrix.shape).tocsr()
    try:
        of_row, of_column = min_weight_full_bipartite_matching(graph)
    except ValueError:
        raise UserError(
            "the matrix is singular, whatever its entries: its zeros leave no row for some column"
        ) from None
    rows = np.empty(len(matrix), np.int64)
    rows[of_column] = of_row
    return rows


def _definite(matrix: Floats) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
