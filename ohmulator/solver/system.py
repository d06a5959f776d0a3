"""A prepared system on a chip: its loop, and its exact products."""

import math

import numpy as np
from numpy.typing import NDArray

from golden.array.lines import Array
from golden.inverse.answer import Answer, answer
from golden.inverse.inversion import Inversion, loop_config
from golden.tile.analog import Analog
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from ohmulator.solver.realisation import Realisation
from spec.config import ChipConfig

Floats = NDArray[np.float64]
Words = NDArray[np.int64]


COUNTS = "settles", "drives", "conversions", "clips", "saturated", "disturbed"
"""Settles of the loop; drives of it and of planes; conversions; codes of the loop that clipped;
settles in which an op-amp saturated, and in which cells saw more than the read voltage."""

FACTOR_BITS = 15
"""Bits after the point of the factor between the scales of loop and products."""


STEP_BITS = 30
"""Bits of the largest word of a vector of a Krylov method."""


class System:
    """A matrix [n, n] on a modelled chip: one array in a loop, and a tile for exact products.

    Parameters
    ----------
    config
        Chip whose tiles have at least n rows and columns.
    matrix
        Prepared matrix.
    realisation
        What the loop is programmed to.

    Attributes
    ----------
    weights
        [n, n], integers: the matrix times `scale`, rounded.
    scale
        Weight for an entry of 1.
    answers
        What the loop has answered so far.
    counts
        What the chip has done so far, by the names of `COUNTS`.
    """

    def __init__(self, config: ChipConfig, matrix: Floats, realisation: Realisation):
        n, size = len(matrix), config.array.rows
        self.config = config
        self.realisation = realisation
        self.scale = _weight_scale(config, matrix)
        self.weights = np.rint(matrix * self.scale).astype(np.int64)
        padding = [(0, size - n), (0, size - n)]
        self._tile = Tile(config, Analog.programmed(config, np.pad(self.weights, padding)))
        loop = loop_config(config.replace(slices=1))
        cells = np.pad(realisation.cells, padding)
        levels = cell_levels(loop, slice_weights(loop, cells))
        inversion = config.inversion
        # Rows that the matrix does not use are stable alone.
        rest = (config.levels - 1) << inversion.feedback_fraction_bits
        rest = min(inversion.feedback_top, rest)
        feedback = np.pad(realisation.feedback, (0, size - n), constant_values=rest)
        self.inversion = Inversion(loop, Array.programmed(loop, levels), feedback)
        # The loop holds the matrix in another scale: by a factor of 1 to 2, and a power of two.
        ratio = realisation.scale / self.scale
        self._exponent = math.floor(math.log2(ratio)) - FACTOR_BITS
        self._factor = round(math.ldexp(ratio, -self._exponent))
        self._step = inversion.inv_steps - 1
        self.answers: list[Answer] = []
        self.counts = dict.fromkeys(COUNTS, 0)

    def approximate(self, residual: Words) -> Answer:
        """Return codes and exponent of about weights^-1 residual, from the loop."""
        scaled = residual * self._factor
        shift = max(0, int(np.abs(scaled).max(initial=0)).bit_length() - 31)
        found = answer(self.inversion, scaled >> shift, self._step)
        self._step = found.step
        self.answers.append(found)
        self.counts["settles"] += 1
        self.counts["drives"] += 1
        self.counts["conversions"] += found.rounds * len(self.inversion.feedback)
        self.counts["clips"] += found.clips_high + found.clips_low
        self.counts["saturated"] += found.saturated
        self.counts["disturbed"] += found.disturbed
        exponent = found.exponent + shift + self._exponent
        return Answer(**(vars(found) | {"exponent": exponent}))

    def multiply(self, codes: Words) -> Words:
        """Return weights @ codes [n], exact if the cells are."""
        n, size = len(codes), self.config.array.rows
        products = self._tile.multiply(np.pad(codes, (0, size - n))[None], transposed=True)
        self.counts["drives"] += self.config.planes
        self.counts["conversions"] += products.codes.size
        return products.results[0, :n]

    def step(self, vector: Floats) -> tuple[Floats, Floats]:
        """Return what the loop says of A^-1 vector [n], and A times that, of the prepared A."""
        unit = math.ceil(math.log2(np.abs(vector).max())) - STEP_BITS
        found = self.approximate(np.rint(np.ldexp(vector, -unit)).astype(np.int64))
        # The loop solves for the weights, which are `scale` times A.
        weight = math.ldexp(self.scale, found.exponent + unit)
        product = self.multiply(found.codes) * (weight / self.scale)
        return np.asarray(found.codes * weight), np.asarray(product)


def _weight_scale(config: ChipConfig, matrix: Floats) -> float:
    """Return the weight for an entry of 1: a power of two if that is exact, else the largest."""
    top = min(config.weight_range[1], -config.weight_range[0])
    largest = top / np.abs(matrix).max()
    exact = math.ldexp(1.0, math.floor(math.log2(largest)))
    return exact if np.array_equal(np.rint(matrix * exact), matrix * exact) else float(largest)
