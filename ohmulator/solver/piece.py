"""A part of a low-precision solution: few-bit codes, so that a product with them is exact."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Piece(NamedTuple):
    """Unknowns from `start` on that are `codes` 2^`exponent`."""

    start: int
    codes: NDArray[np.int64]
    exponent: int

    @property
    def where(self) -> slice:
        """Unknowns of the piece."""
        return slice(self.start, self.start + len(self.codes))

    def moved(self, start: int) -> "Piece":
        """Return the piece as a part of a larger solution, in which its own begins at `start`."""
        return self._replace(start=self.start + start)


def joined(pieces: list[Piece], size: int, unit: int = 0) -> NDArray[np.float64]:
    """Return the solution [size] that pieces make up, times 2^unit."""
    values = np.zeros(size)
    for piece in pieces:
        values[piece.where] = np.ldexp(piece.codes.astype(np.float64), piece.exponent + unit)
    return values
