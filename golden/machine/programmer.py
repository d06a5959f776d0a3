"""Programmers bring weights into a tile for the machine, and say what that took."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from golden.tile.write_verify import program, targets


@dataclass(frozen=True)
class Programmed:
    """A tile after programming, and what that added to its counters."""

    analog: Analog
    reads: int = 0
    pulses: int = 0
    failures: int = 0


Programmer = Callable[[Analog, NDArray[np.int64]], Programmed]
"""Brings weights [rows, columns] into a tile, given what it is now."""


def set_directly(analog: Analog, weights: NDArray[np.int64]) -> Programmed:
    """Bring all cells to their levels without a pulse, which no real chip can.

    In place: noise goes on, and the programming error is drawn anew each time.
    """
    analog.array.cells.program(cell_levels(analog.config, slice_weights(analog.config, weights)))
    return Programmed(analog)


def write_verify(analog: Analog, weights: NDArray[np.int64]) -> Programmed:
    """Program every cell of the tile with pulses, in place, as the RTL does."""
    outcome = program(analog, targets(analog.config, weights))
    pulses = int(outcome.pulses.sum())
    # Each cell is read before each of its pulses and after the last.
    reads = len(outcome.pulses) + pulses
    return Programmed(analog, reads, pulses, int((~outcome.success).sum()))
