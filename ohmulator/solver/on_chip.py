"""A prepared system on a chip behind a link: its loop, its products, and refinement within it."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ohmulator.compiler import refinement
from ohmulator.compiler.refinement_text import LOOP, PRODUCTS, RESIDUAL_BITS, End
from ohmulator.host.errors import ProgramError
from ohmulator.host.host import Host
from ohmulator.solver.array_inverse import LoopScale
from ohmulator.solver.counts import Counts
from ohmulator.solver.krylov import Callback
from ohmulator.solver.outcome import Course, Reason
from ohmulator.solver.piece import Piece
from ohmulator.solver.products import Products
from ohmulator.solver.realisation import Realisation
from spec.isa import ErrorCode, Space

Floats = NDArray[np.float64]
Words = NDArray[np.int64]

SetTile = Callable[[int, NDArray[np.int64], float], None]
"""Sets a tile to weights [rows, columns] of its size, with a programming error in levels."""

REASONS = {
    End.TOLERANCE: Reason.TOLERANCE,
    End.BOUND: Reason.BOUND,
    End.DIVERGED: Reason.DIVERGED,
    End.STAGNATED: Reason.STAGNATED,
}


class OnChip:
    """Run what a solver asks for on a chip.

    Parameters
    ----------
    host
        Host of the chip.
    products
        Weights and scale of the matrix.
    realisation
        What the loop is programmed to.
    counts
        To count in.
    set_tile
        Sets conductances where the array is simulated; by default the chip programs its tiles.

    Raises
    ------
    UserError
        If the chip has no room for it.
    """

    def __init__(
        self,
        host: Host,
        products: Products,
        realisation: Realisation,
        counts: Counts,
        set_tile: SetTile | None = None,
    ):
        config = host.config
        self._host, self._counts = host, counts
        self.scale, self.weights, self.config = products.scale, products.weights, config
        self._loop_scale = scale = LoopScale.of(realisation.scale / products.scale)
        self._step = config.inversion.inv_steps - 1
        feedback = realisation.padded_feedback(config)
        self._program = program = refinement.compile_refinement(
            config, products.weights, realisation.cells, feedback, scale.factor, scale.exponent
        )
        for write in program.writes:
            host.write(*write)
        if set_tile is not None:
            padding = [(0, config.array.rows - len(products.weights))] * 2
            top = config.array.cell_bits * (config.array.slices - 1)
            error = config.physics.cells.loop_program_error
            set_tile(0, np.pad(realisation.cells << top, padding), error)
            set_tile(1, np.pad(products.weights, padding), 0.0)
            host.write(Space.HOLDING, 0, np.array([0, LOOP + 1, 0, PRODUCTS + 1], np.uint32))
        self._counted = host.counters()

    def approximate(self, residual: Words) -> list[Piece]:
        """Return about the solution for a residual [n] of up to 46 bits."""
        words, exponent = self._loop_scale.words(residual)
        codes, weight, self._step, saturated = refinement.answer(
            self._host, self._program, words, self._step
        )
        self._counts.saturated += saturated
        return [Piece(0, codes, weight + exponent)]

    def multiply(self, codes: Words, start: int = 0) -> Words:
        """Return the exact product of the weights with codes of all unknowns."""
        assert start == 0, "one array holds the whole system"
        return refinement.multiply(self._host, self._program, codes)

    def refine(
        self, right_side: Floats, tolerance: float, bound: int, callback: Callback | None
    ) -> Course:
        """Solve for a right-hand side [n]; the chip does all of it."""
        size = float(np.abs(right_side).max(initial=0.0)) * self.scale
        course = Course(np.zeros(len(right_side)), Reason.TOLERANCE, [1.0])
        if size == 0:
            return course
        unit = math.ceil(math.log2(size)) - RESIDUAL_BITS
        side = np.rint(np.ldexp(right_side * self.scale, -unit)).astype(np.int64)
        # The largest of n words is at least the root mean square of them.
        norm = float(np.linalg.norm(side.astype(np.float64)))
        target = math.floor(math.log2(tolerance * norm / math.sqrt(len(side))))
        try:
            found = refinement.refine(self._host, self._program, side, exponent=target, bound=bound)
        except ProgramError as error:
            if error.code is not ErrorCode.UNSETTLED:
                raise
            course.reason = Reason.UNSETTLED
            return course
        course.reason = REASONS[found.end]
        course.solution = np.ldexp(found.words.astype(np.float64), found.exponent + unit)
        first = int(found.residuals[0])
        course.residuals = np.ldexp(1.0, found.residuals - first).tolist()
        for residual in course.residuals[1:] if callback else ():
            assert callback
            callback(residual)
        return course

    def count(self) -> None:
        """Count what the chip has done since this was asked last."""
        now = self._host.counters()

        def since(name: str) -> int:
            return sum(now[each] - self._counted[each] for each in now if each.endswith(name))

        self._counts.settles += since(".settles")
        self._counts.loop_cycles += since(".loop_cycles")
        self._counts.drives += since(".settles") + since(".drives")
        self._counts.conversions += since(".conversions")
        self._counts.clips += since("tile0.clips_high") + since("tile0.clips_low")
        self._counted = now
