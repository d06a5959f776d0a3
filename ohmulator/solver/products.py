"""Exact products with a matrix on tiles of a modelled chip."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from golden.draws import tile_seed
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from ohmulator.solver.counts import Counts
from spec.config import ChipConfig
from spec.errors import require

Floats = NDArray[np.float64]
Words = NDArray[np.int64]

TRIALS = 4
"""Random vectors that a chip multiplies to find out whether its products are exact."""


class Products:
    """A matrix [n, n] of weights, cut into blocks of the size of a tile.

    Parameters
    ----------
    config
        Chip.
    matrix
        Matrix.
    counts
        To count in.
    scale
        Weight for an entry of 1, or that times a power of two below 1 where weights would not fit;
        by default the largest.

    Attributes
    ----------
    scale
        Weight for an entry of 1.
    weights
        [n, n], integers: the matrix times `scale`, rounded.
    """

    def __init__(
        self, config: ChipConfig, matrix: Floats, counts: Counts, scale: float | None = None
    ):
        self.config = config
        self.counts = counts
        self.scale = weight_scale(config, matrix, scale)
        self.weights = np.rint(matrix * self.scale).astype(np.int64)
        size = config.array.rows
        starts = range(0, len(matrix), size)
        self._tiles: dict[tuple[int, int], Tile] = {}
        for number, (row, column) in enumerate(itertools.product(starts, starts)):
            # Tile 0 has the loop.
            chip = config.replace(seed=tile_seed(config.physics.seed, number + 1))
            block = self.weights[row : row + size, column : column + size]
            padding = [(0, size - length) for length in block.shape]
            self._tiles[row, column] = Tile(chip, Analog.programmed(chip, np.pad(block, padding)))

    @property
    def exact(self) -> bool:
        """Tell whether products of random codes are what they should be."""
        draws = np.random.default_rng(0)
        low, high = self.config.input_range
        for _ in range(TRIALS):
            codes = draws.integers(low, high, len(self.weights), endpoint=True)
            if not np.array_equal(self.multiply(codes), self.weights @ codes):
                return False
        return True

    def multiply_all(self, codes: Words) -> Words:
        """Return the products [k, n] with codes [k, n], of a matrix that one tile holds."""
        size = self.config.array.rows
        ((_, tile),) = self._tiles.items()
        padded = np.pad(codes, [(0, 0), (0, size - codes.shape[1])])
        products = tile.multiply(padded, transposed=True)
        self.counts.drives += len(codes) * self.config.planes
        self.counts.conversions += products.codes.size
        return products.results[:, : codes.shape[1]]

    def multiply(self, codes: Words, start: int = 0, rows: slice = slice(None)) -> Words:
        """Return the product of some rows with codes [k] of the unknowns from `start` on."""
        size = self.config.array.rows
        first, last, _ = rows.indices(len(self.weights))
        total = np.zeros(last - first, np.int64)
        for (row, column), tile in self._tiles.items():
            low, high = max(start, column), min(start + len(codes), column + size)
            top, bottom = max(first, row), min(last, row + size)
            if low >= high or top >= bottom:
                continue
            part = np.zeros(size, np.int64)
            part[low - column : high - column] = codes[low - start : high - start]
            # Equations are rows of the array: a transposed product.
            products = tile.multiply(part[None], transposed=True)
            self.counts.drives += self.config.planes
            self.counts.conversions += products.codes.size
            total[top - first : bottom - first] += products.results[0, top - row : bottom - row]
        return total


def require_exact(config: ChipConfig) -> None:
    """Raise `UserError` unless an ideal chip multiplies codes of the loop exactly."""
    inversion, converter = config.inversion, config.converter
    require(
        converter.input_bits >= inversion.inv_adc_bits,
        f"input_bits must be at least inv_adc_bits ({inversion.inv_adc_bits}), not "
        f"{converter.input_bits}: codes of the loop are what is multiplied",
    )
    require(
        config.transposed.covering_step == 0 and converter.accumulator_bits == 0,
        f"a solver needs exact products, which adc_bits {converter.adc_bits} and accumulator_bits "
        f"{converter.accumulator_bits} do not have: raise adc_bits, and leave accumulator_bits 0",
    )


def weight_scale(config: ChipConfig, matrix: Floats, like: float | None = None) -> float:
    """Return the weight for an entry of 1: a power of two if that is exact, else the largest.

    With `like`, that times the largest power of two, at most 1, with which weights fit.
    """
    top = min(config.weight_range[1], -config.weight_range[0])
    largest = top / np.abs(matrix).max()
    if like is not None:
        return math.ldexp(like, min(0, math.floor(math.log2(largest / like))))
    exact = math.ldexp(1.0, math.floor(math.log2(largest)))
    return exact if np.array_equal(np.rint(matrix * exact), matrix * exact) else float(largest)
