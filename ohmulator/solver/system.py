"""A prepared system on a chip: an approximate inverse, and exact products."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.inverse.answer import drive_codes, drive_shift
from ohmulator.solver.arithmetic import shifted
from ohmulator.solver.piece import Piece, joined
from spec.config import ChipConfig

Floats = NDArray[np.float64]
Words = NDArray[np.int64]

STEP_BITS = 30
"""Bits of the largest word of a vector of a Krylov method."""


class Multiplying(Protocol):
    """Exact products with weights [n, n]."""

    config: ChipConfig
    scale: float
    weights: Words

    def multiply(self, codes: Words, start: int = 0) -> Words:
        """Return the product with codes [k] of the unknowns from `start` on."""


class Approximating(Protocol):
    """Approximate inverse of the weights."""

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n]."""


class System:
    """A matrix [n, n] on a chip.

    Parameters
    ----------
    products
        Its products, and its scale.
    inverse
        Its approximate inverse, or None to take the identity for it: whatever solutions are better
        by with the inverse is what the loops do.
    """

    def __init__(self, products: Multiplying, inverse: Approximating | None):
        self._products, self._inverse = products, inverse

    @property
    def scale(self) -> float:
        """Weight for an entry of 1."""
        return self._products.scale

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution of weights x = residual [n]."""
        if self._inverse is not None:
            return self._inverse.approximate(residual)
        shift = drive_shift(self._products.config, int(np.abs(residual).max(initial=0)))
        diagonal = np.abs(np.diag(self._products.weights)).max(initial=1)
        return [Piece(0, drive_codes(residual, shift), shift - round(math.log2(diagonal)))]

    def product(self, pieces: list[Piece]) -> Words:
        """Return weights times a solution in pieces, each rounded to integers [n]."""
        parts = [
            shifted(self._products.multiply(piece.codes, piece.start), piece.exponent)
            for piece in pieces
        ]
        return np.asarray(np.sum(parts, axis=0))

    def step(self, vector: Floats) -> tuple[Floats, Floats]:
        """Return about A^-1 vector [n], and A times that, of the prepared A."""
        unit = math.ceil(math.log2(np.abs(vector).max())) - STEP_BITS
        pieces = self.approximate(np.rint(np.ldexp(vector, -unit)).astype(np.int64))
        product = np.zeros(len(vector))
        for piece in pieces:
            exact = self._products.multiply(piece.codes, piece.start).astype(np.float64)
            product += np.ldexp(exact, piece.exponent + unit)
        # Approximations are of the weights, which are `scale` times A.
        return joined(pieces, len(vector), unit) * self.scale, product
