"""Describe what a simulated tile is given, and what comes back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.write_verify import Outcome, Targets
from spec.config import ChipConfig


@dataclass(frozen=True)
class RandomRows:
    """Random integers [count, width] that are drawn when they are looked at.

    Row r is the same for any `count`.

    Attributes
    ----------
    seed
        Numbers that seed the random stream.
    low, high
        Smallest and largest integer.
    extreme
        Whether row 0 is `low` throughout, and row 1 `high`.
    """

    seed: tuple[int, ...]
    count: int
    width: int
    low: int
    high: int
    extreme: bool = False

    DRAWN = 1024
    """Rows that are drawn together."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: slice) -> NDArray[np.int64]:
        """Return some rows next to each other."""
        start, stop, _ = rows.indices(self.count)
        first = start // self.DRAWN
        drawn = [self._draw(number) for number in range(first, -(-stop // self.DRAWN))]
        drawn.append(np.empty((0, self.width), np.int64))
        offset = first * self.DRAWN
        return np.concatenate(drawn)[start - offset : max(start, stop) - offset]

    def _draw(self, number: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([*self.seed, number])
        drawn = rng.integers(self.low, self.high, (self.DRAWN, self.width), endpoint=True)
        if self.extreme and number == 0:
            drawn[0], drawn[1] = self.low, self.high
        return drawn


Rows = NDArray[np.int64] | RandomRows
"""Integers [n, width]: an array, or a random one of any length that needs no memory."""


@dataclass(frozen=True)
class TileJob:
    """Products for a simulated tile.

    Attributes
    ----------
    analog
        Physics behind the tile. The model gets a copy of it, random streams included.
    vectors
        [n, rows], inputs; [n, columns] if they are `transposed`.
    steps
        [steps] or [n, steps], ADC steps.
    transposed
        Whether the products are those with the transposed matrix. They have no waveform.
    idle, stall
        Cycles that each vector waits before it is offered, and each result before it is taken;
        used over and over.
    reset_after
        Cycles after the first vector is offered at which the tile is reset, for one cycle, and
        the job begun anew; 0: never.
    targets
        Cells to program before the products, if any.
    trace_cycles
        Length of the waveform of the analogue boundary; 0: none.
    kept
        Whether the outcome has all results. Without them, any number of products needs little
        memory.
    reproduce
        Command that a report of a mismatch names.
    behind
        Physics behind the RTL, if they are others than those of the model.
    """

    analog: Analog
    vectors: Rows
    steps: Rows
    transposed: bool = False
    idle: tuple[int, ...] = (0,)
    stall: tuple[int, ...] = (0,)
    reset_after: int = 0
    targets: Targets | None = None
    trace_cycles: int = 0
    kept: bool = True
    reproduce: str = ""
    behind: Analog | None = None

    def __post_init__(self) -> None:
        if self.transposed and self.trace_cycles:
            raise ValueError("transposed products have no waveform: trace_cycles must be 0")

    @property
    def config(self) -> ChipConfig:
        """Configuration of the tile."""
        return self.analog.config

    @property
    def period_ns(self) -> int:
        """Period of the clock, as simulators have it: even."""
        return 2 * max(1, round(0.5e9 / self.config.machine.clock_hz))

    def batch(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return vectors [n, inputs] and ADC steps [n, steps] of products `start` to `stop` - 1."""
        vectors = np.asarray(self.vectors[start:stop])
        if isinstance(self.steps, np.ndarray) and self.steps.ndim == 1:
            return vectors, np.broadcast_to(self.steps, (len(vectors), len(self.steps)))
        return vectors, np.asarray(self.steps[start:stop])


@dataclass
class TileOutcome:
    """Hold what the simulated tile did with a `TileJob`.

    Attributes
    ----------
    results, expected
        [n, outputs], from the RTL and from the model; [0, outputs] unless they are kept.
    words, wrong
        Number of results, and of those in which RTL and model differ.
    mismatch
        Where RTL and model first differ, in words: in cells, results or counters; empty if nowhere.
    counters
        Of the RTL at the end, by name.
    latencies
        [n], cycles from the transfer of a vector to the offer of its last results.
    seconds
        Wall clock time of the products, without start and end of the simulator and the model's
        own time.
    cpu_s
        Processor time of the same.
    programmed, expected_programmed
        What became of the cells, in the RTL and in the model, if there were any to program.
    programming_cycles
        Clock cycles that took.
    g_s
        Conductances behind the RTL at the end, [slices, rows, bit_lines] in siemens.
    """

    results: NDArray[np.int64]
    expected: NDArray[np.int64]
    words: int
    wrong: int
    mismatch: str
    counters: dict[str, int]
    latencies: NDArray[np.int64]
    seconds: float
    cpu_s: float
    programmed: Outcome | None
    expected_programmed: Outcome | None
    programming_cycles: int
    g_s: NDArray[np.float64]
