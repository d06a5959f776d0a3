"""BlockAMC: the inverse of a matrix larger than an array, from inverses of blocks.

    A = [A1 A2; A3 A4],  S = A4 - A3 A1^-1 A2
    y1 = A1^-1 r1,  x2 = S^-1 (r2 - A3 y1),  x1 = A1^-1 (r1 - A2 x2)

S is computed once, in full precision, and programmed like A1. Either may again be larger than an
array. L. Pan et al., "BlockAMC: scalable in-memory analog matrix computing", DATE 2024,
doi 10.23919/DATE58400.2024.10546792.
"""

import math

import numpy as np
from numpy.typing import NDArray

from golden.inverse.answer import Answer
from golden.inverse.inversion import Inversion
from ohmulator.solver.arithmetic import shifted
from ohmulator.solver.array_inverse import Inverse
from ohmulator.solver.piece import Piece
from ohmulator.solver.products import Products

Words = NDArray[np.int64]


class BlockInverse:
    """An inverse by blocks.

    Parameters
    ----------
    first, second
        Inverses of A1 [k, k] and of S.
    products
        Products with a matrix that has A from row and column `start` on.
    start, cut, size
        First row, k, and size of A.
    scale
        Solutions are of the matrix times this: `products.scale` times a power of two.
    """

    def __init__(
        self,
        first: Inverse,
        second: Inverse,
        products: Products,
        start: int,
        cut: int,
        size: int,
        scale: float,
    ):
        self._first, self._second, self._products = first, second, products
        self._start, self._cut, self._end = start, cut, start + size
        self._places = round(math.log2(scale / products.scale))

    @property
    def loops(self) -> list[Inversion]:
        """All loops that it uses."""
        return [*self._first.loops, *self._second.loops]

    @property
    def answers(self) -> list[Answer]:
        """What the last loop has said so far."""
        return self._second.answers

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n]."""
        cut, middle = self._cut, self._start + self._cut
        upper, lower = residual[:cut], residual[cut:]
        for piece in self._first.approximate(upper):
            lower = lower - self._product(piece, slice(middle, self._end))
        second = [piece.moved(cut) for piece in self._second.approximate(lower)]
        for piece in second:
            upper = upper - self._product(piece, slice(self._start, middle))
        return [*self._first.approximate(upper), *second]

    def _product(self, piece: Piece, rows: slice) -> Words:
        """Return the product of some rows with a piece, in units of the residual."""
        product = self._products.multiply(piece.codes, self._start + piece.start, rows)
        return shifted(product, piece.exponent + self._places)
