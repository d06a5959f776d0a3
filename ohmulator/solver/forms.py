"""Systems of any form as real square ones: complex ones, and those with more rows than columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spec.errors import UserError, require, shown

Floats = NDArray[np.float64]
Numbers = NDArray[np.float64] | NDArray[np.complex128]


@dataclass(frozen=True)
class Form:
    """Hold a system as it is given, and say how it becomes a real square one and back.

    Attributes
    ----------
    matrix
        [m, n], real or complex.
    least_squares
        Whether the residual may not vanish: the normal equations are solved.
    """

    matrix: Numbers
    least_squares: bool

    @property
    def square(self) -> Floats:
        """Real square matrix, of double size for a complex system."""
        matrix = self.matrix
        if self.least_squares:
            matrix = matrix.conj().T @ matrix
        if np.iscomplexobj(matrix):
            return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])
        return np.asarray(matrix, np.float64)

    def right_side(self, b: Numbers) -> Floats:
        """Return the right-hand side of the square system for that [m] of the given one."""
        side = self.matrix.conj().T @ b if self.least_squares else b
        if np.iscomplexobj(self.matrix):
            return np.concatenate([side.real, side.imag])
        return np.asarray(side, np.float64)

    def solution(self, x: Floats) -> Numbers:
        """Return the solution [n] of the given system from that of the square one."""
        if not np.iscomplexobj(self.matrix):
            return x
        real, imaginary = np.split(x, 2)
        return real + 1j * imaginary

    def residual(self, x: Numbers, b: Numbers) -> float:
        """Return the norm of what is left of b [m], relative to b.

        Of a least-squares system, that of the normal equations.
        """
        left, whole = b - self.matrix @ x, b
        if self.least_squares:
            left, whole = self.matrix.conj().T @ left, self.matrix.conj().T @ whole
        # Squares of large numbers would not fit.
        size = float(np.abs(whole).max()) or 1.0
        return float(np.linalg.norm(left / size)) / (float(np.linalg.norm(whole / size)) or 1.0)


def checked_form(matrix: object, *, least_squares: bool) -> Form:
    """Return the form of a matrix [m, n], an array or a sparse matrix of numbers.

    Raises
    ------
    UserError
        If it is none, empty, or not finite, or not square without `least_squares`.
    """
    dense = matrix.toarray() if hasattr(matrix, "toarray") else matrix
    try:
        array = np.asarray(dense)
        array = array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"the matrix must be numbers [m, n], not {shown(matrix)}") from None
    require(
        array.ndim == 2 and 0 not in array.shape,
        f"the matrix must have rows and columns, not the shape {array.shape}",
    )
    require_finite("the matrix", array)
    rows, columns = array.shape
    require(
        rows == columns or least_squares,
        f"the matrix of {rows} x {columns} is not square: ask for least squares",
    )
    require(
        rows >= columns,
        f"the matrix of {rows} x {columns} has fewer rows than columns, and no one solution: give "
        "at least as many equations as unknowns",
    )
    return Form(array, least_squares)


def checked_side(matrix: Any, b: object) -> Numbers:
    """Return right-hand sides [m] or [m, k] that fit a matrix [m, n], dense or sparse.

    Raises
    ------
    UserError
        If they do not.
    """
    try:
        array = np.asarray(b)
        array = array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"the right-hand side must be numbers, not {shown(b)}") from None
    rows = matrix.shape[0]
    require(
        array.ndim in (1, 2) and len(array) == rows and array.size > 0,
        f"the right-hand side must have {rows} rows, as the matrix has, not the shape "
        f"{array.shape}",
    )
    require_finite("the right-hand side", array)
    require(
        np.iscomplexobj(matrix) or not np.iscomplexobj(array),
        "the right-hand side is complex and the matrix is not: make the matrix complex",
    )
    return array


def require_finite(what: str, array: Numbers) -> None:
    """Raise `UserError` unless all numbers of an array are finite."""
    finite = np.isfinite(array)
    if not finite.all():
        at = tuple(np.argwhere(~finite)[0].tolist())
        place = ", ".join(map(str, at))
        raise UserError(f"{what} must be finite, but entry ({place}) is {shown(array.item(*at))}")
