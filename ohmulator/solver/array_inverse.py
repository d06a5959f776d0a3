"""A matrix in the loop of one array."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.array.lines import Array
from golden.draws import tile_seed
from golden.inverse.answer import Answer, Answers, answer
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

    def words_of_all(self, residuals: Words) -> tuple[Words, Words]:
        """Return the same of residuals [k, n], with an exponent [k] for each."""
        scaled = residuals * self.factor
        lengths = np.frexp(np.abs(scaled).max(axis=1, initial=0).astype(np.float64))[1]
        shift = np.maximum(0, lengths - WORD_BITS).astype(np.int64)
        return scaled >> shift[:, None], shift + self.exponent


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
    loop_scale
        Scale of the loop, against that of the products.
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
        self.loop_scale = LoopScale.of(realisation.scale / scale)
        self._step = inversion.inv_steps - 1

    def note(self, found: Answer | Answers) -> None:
        """Count what one answer took, or several."""
        counts, settles = self.counts, np.size(found.step)
        counts.settles += settles
        counts.loop_cycles += settles * (self.inversion.loop_cycles or 0)
        counts.drives += settles
        counts.conversions += int(np.sum(found.rounds)) * len(self.inversion.feedback)
        counts.clips += int(np.sum(found.clips_high) + np.sum(found.clips_low))
        counts.saturated += int(np.sum(found.saturated))
        counts.disturbed += int(np.sum(found.disturbed))

    @property
    def loops(self) -> list[Inversion]:
        """All loops of the inverse: this one."""
        return [self.inversion]

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n] of up to 46 bits."""
        words, exponent = self.loop_scale.words(residual)
        found = answer(self.inversion, words, self._step)
        self._step = found.step
        self.answers.append(found)
        self.note(found)
        return [Piece(0, found.codes, found.exponent + exponent)]
