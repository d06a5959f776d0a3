"""One API to a tile alone behind a link, be it a model, a simulation or a board.

with TileHost(carrier, config) as tile:
    tile.program(targets(config, weights))
    results = tile.multiply(vectors)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from golden.tile.tile import checked_steps
from golden.tile.write_verify import Outcome, Targets, checked_targets
from ohmulator.host.device_host import DeviceHost
from ohmulator.host.errors import LinkError, OperationError
from spec.counters import TILE_COUNTERS
from spec.isa import ErrorCode
from spec.tile_link import (
    OUTCOME,
    TileOperation,
    TileSpace,
    require_tile_link,
    tile_identity,
)

OPERATION_S = 10.0
"""Time in seconds in which any operation ends."""


class TileHost(DeviceHost):
    """Talk to the tile behind a carrier, see `ohmulator.host.device_host.DeviceHost`.

    What the cells hold stays from one host to the next.

    Raises
    ------
    UserError
        Also if such a tile cannot be behind a link, see `spec.tile_link.require_tile_link`.
    """

    DEVICE = "tile"
    SPACES = TileSpace

    def multiply(
        self, vectors: ArrayLike, steps: ArrayLike | None = None, *, transposed: bool = False
    ) -> NDArray[np.int64]:
        """Multiply vectors [n, rows] by the matrix in the cells; return results [n, columns].

        Or, `transposed`, vectors [n, columns] by the transposed matrix, for results [n, rows].

        Parameters
        ----------
        vectors
            Integers within `ChipConfig.input_range`.
        steps
            [steps] for all, or [n, steps]: log2 in units of the ADC step of each slice (and of the
            unit column, last). By default the smallest with which no exact sum clips.

        Raises
        ------
        UserError
            If a shape or value does not fit the configuration, or it is not `transposable`.
        OperationError
            If the tile refuses a product.
        LinkError
            Also if the tile was used by another host or reset.
        """
        config = self.config
        if transposed:
            config.require_transposable()
        direction = config.direction(transposed)
        values = checked_integers("vectors", vectors, (-1, direction.inputs), *config.input_range)
        all_steps = checked_steps(config, steps, len(values), transposed=transposed)
        operation = TileOperation.PRODUCT_T if transposed else TileOperation.PRODUCT
        results = np.zeros((len(values), direction.outputs), np.int64)
        set_steps: list[int] = []
        for vector, vector_steps, result in zip(values, all_steps.tolist(), results, strict=True):
            if vector_steps != set_steps:
                self.write(TileSpace.STEP, 0, vector_steps)
                set_steps = vector_steps
            self.write(TileSpace.INPUT, 0, vector)
            self._operate(operation)
            result[:] = self.read(TileSpace.RESULT, 0, direction.outputs).view(np.int32)
        return results

    def program(self, cells: Targets) -> Outcome:
        """Bring cells to their levels, one after the other; return what became of each.

        `golden.tile.write_verify.targets` names those of a matrix of weights.

        Raises
        ------
        UserError
            If a cell lies outside of the arrays or is named twice, or a level does not exist.
        OperationError
            If the tile refuses a cell.
        LinkError
            Also if the tile was used by another host or reset.
        """
        return self._use(cells, TileOperation.PROGRAM)

    def read_cells(self, cells: Targets) -> Outcome:
        """Read cells once each, and compare them with their levels; no pulse is given.

        Raises
        ------
        UserError, OperationError, LinkError
            As `program`.
        """
        return self._use(cells, TileOperation.READ)

    def _use(self, cells: Targets, operation: TileOperation) -> Outcome:
        cells = checked_targets(self.config, cells)
        words = np.stack(
            [cells.slices, cells.rows, cells.adcs, cells.groups, cells.sides, cells.levels], axis=1
        )
        outcomes = np.zeros((len(cells), len(OUTCOME)), np.int64)
        for target, outcome in zip(words, outcomes, strict=True):
            self.write(TileSpace.TARGET, 0, target)
            self._operate(operation)
            outcome[:] = self.read(TileSpace.OUTCOME, 0, len(OUTCOME)).view(np.int32)
        success, codes, pulses = outcomes.T
        return Outcome(success.astype(bool), codes, pulses)

    def _operate(self, operation: TileOperation) -> None:
        """Run an operation to its end."""
        self._start(operation)
        if not self._wait(OPERATION_S, alone=True):
            raise LinkError(
                f"the tile did not end {operation.name} within {OPERATION_S:g} s: reset it, and "
                "look whether its arrays settle"
            )
        code = self.status().code
        self._refuse_disturbed()
        if code is not ErrorCode.NONE:
            raise OperationError(operation.name, code)

    def _identity(self) -> Sequence[int]:
        require_tile_link(self.config)
        return tile_identity(self.config)

    def _counter_names(self) -> Sequence[str]:
        return [counter.name for counter in TILE_COUNTERS]
