"""Choose how a matrix is inverted: in one array, or by blocks."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from ohmulator.solver.array_inverse import ArrayInverse, Inverse
from ohmulator.solver.block_inverse import BlockInverse
from ohmulator.solver.counts import Counts
from ohmulator.solver.products import Products
from ohmulator.solver.realisation import Realisation, realise
from spec.config import ChipConfig
from spec.errors import require

Floats = NDArray[np.float64]

WORST_BLOCK = 1e4
"""How much worse the condition number of a leading block may be than that of the whole."""


class Inverses:
    """Make the inverse of a matrix of any size.

    Parameters
    ----------
    config
        Chip.
    counts
        What inverses count in.
    caution
        Factor on the margin of stability.

    Attributes
    ----------
    realisations
        Of all arrays that were used.
    """

    def __init__(self, config: ChipConfig, counts: Counts, caution: float):
        self._config, self._counts, self._caution = config, counts, caution
        self._numbers = itertools.count()
        self.realisations: list[Realisation] = []

    def of(self, matrix: Floats, scale: float, realisation: Realisation | None = None) -> Inverse:
        """Return the inverse of a matrix [n, n] that fits an array, times a scale.

        The realisation is chosen unless it is given.
        """
        found = realisation or realise(self._config, matrix, caution=self._caution)
        self.realisations.append(found)
        number = next(self._numbers)
        return ArrayInverse(self._config, found, scale, self._counts, number)

    def by_blocks(
        self, matrix: Floats, scale: float, products: Products | None = None, start: int = 0
    ) -> Inverse:
        """Return the inverse of a matrix [n, n] of any size, times a scale.

        `products` are those of a matrix that has this one from row and column `start` on; where
        there are none, tiles are programmed for them.

        Raises
        ------
        UserError
            If a leading block is too nearly singular.
        """
        size, rows = len(matrix), self._config.array.rows
        if size <= rows:
            return self.of(matrix, scale)
        if products is None:
            products, start = Products(self._config, matrix, self._counts, scale), 0
        # Half of the arrays, rounded up.
        cut = rows * math.ceil(math.ceil(size / rows) / 2)
        first = matrix[:cut, :cut]
        worst = WORST_BLOCK * np.linalg.cond(matrix)
        require(
            bool(np.linalg.cond(first) <= worst),
            f"the leading block of {cut} x {cut} is nearly singular, and cannot be inverted before "
            "the rest: take larger arrays, or another order of unknowns",
        )
        schur = matrix[cut:, cut:] - matrix[cut:, :cut] @ np.linalg.solve(first, matrix[:cut, cut:])
        return BlockInverse(
            self.by_blocks(first, scale, products, start),
            self.by_blocks(schur, scale),
            products,
            start,
            cut,
            size,
            scale,
        )
