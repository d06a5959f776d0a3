"""A matrix in the loop of one array."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.array.lines import Array
from golden.draws import tile_seed
from golden.inverse.answer import Answer, answer
from golden.inverse.inversion import Inversion, loop_config
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from ohmulator.compiler.refinement_text import FACTOR_BITS
from ohmulator.solver.counts import Counts
from ohmulator.solver.piece import Piece
from ohmulator.solver.realisation import Realisation
from spec.config import ChipConfig

Words = NDArray[np.int64]

LOOPS = 1 << 20
"""Number of the first array with a loop, beyond those of products."""

WORD_BITS = 31
"""Bits of the largest word that the loop is given."""


class Inverse(Protocol):
    """Approximate inverse of a matrix times a scale."""

    @property
    def loops(self) -> list[Inversion]:
        """All loops that it uses."""

    @property
    def answers(self) -> list[Answer]:
        """What its last loop has said so far."""

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n]."""


@dataclass(frozen=True)
class LoopScale:
    """Scale of a loop that holds a matrix of another scale: `factor` 2^`exponent` times it."""

    factor: int
    exponent: int

    @classmethod
    def of(cls, ratio: float) -> "LoopScale":
        """Return a scale: a factor of 1 to 2, in words, and a power of two."""
        exponent = math.floor(math.log2(ratio)) - FACTOR_BITS
        return cls(round(math.ldexp(ratio, -exponent)), exponent)

    def words(self, residual: Words) -> tuple[Words, int]:
        """Return words of a residual [n] of up to 46 bits for the loop, and what to add to the
        exponent of its answer.
        """
        scaled = residual * self.factor
        shift = max(0, int(np.abs(scaled).max(initial=0)).bit_length() - WORD_BITS)
        return scaled >> shift, shift + self.exponent


class ArrayInverse:
    """A realised matrix [n, n] on one array of a modelled chip.

    Parameters
    ----------
    config
        Chip.
    realisation
        What the loop is programmed to.
    scale
        Solutions are of the matrix times this.
    counts
        To count in.
    number
        Of the array, which selects its draws.

    Attributes
    ----------
    inversion
        The loop.
    answers
        All that it has said so far.
    """

    def __init__(
        self,
        config: ChipConfig,
        realisation: Realisation,
        scale: float,
        counts: Counts,
        number: int = 0,
    ):
        self.counts = counts
        self.answers: list[Answer] = []
        inversion, size = config.inversion, config.array.rows
        seed = tile_seed(config.physics.seed, LOOPS + number)
        loop = loop_config(config.replace(slices=1, seed=seed))
        padding = size - len(realisation.cells)
        cells = np.pad(realisation.cells, [(0, padding), (0, padding)])
        levels = cell_levels(loop, slice_weights(loop, cells))
        feedback = realisation.padded_feedback(config)
        self.inversion = Inversion(loop, Array.programmed(loop, levels), feedback)
        self._scale = LoopScale.of(realisation.scale / scale)
        self._step = inversion.inv_steps - 1

    @property
    def loops(self) -> list[Inversion]:
        """All loops of the inverse: this one."""
        return [self.inversion]

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n] of up to 46 bits."""
        words, exponent = self._scale.words(residual)
        found = answer(self.inversion, words, self._step)
        self._step = found.step
        self.answers.append(found)
        self.counts.settles += 1
        self.counts.loop_cycles += self.inversion.loop_cycles or 0
        self.counts.drives += 1
        self.counts.conversions += found.rounds * len(self.inversion.feedback)
        self.counts.clips += found.clips_high + found.clips_low
        self.counts.saturated += found.saturated
        self.counts.disturbed += found.disturbed
        return [Piece(0, found.codes, found.exponent + exponent)]
