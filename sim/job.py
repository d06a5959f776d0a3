"""What a simulation is given, and what comes back; both cross a process boundary as files."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.write_verify import Outcome, Targets
from spec.config import ChipConfig


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
    reproduce
        Command that a report of a mismatch names.
    """

    analog: Analog
    vectors: NDArray[np.int64]
    steps: NDArray[np.int64]
    transposed: bool = False
    idle: tuple[int, ...] = (0,)
    stall: tuple[int, ...] = (0,)
    reset_after: int = 0
    targets: Targets | None = None
    trace_cycles: int = 0
    reproduce: str = ""

    def __post_init__(self) -> None:
        if self.transposed and self.trace_cycles:
            raise ValueError("transposed products have no waveform: trace_cycles must be 0")

    @property
    def config(self) -> ChipConfig:
        return self.analog.config


@dataclass
class TileOutcome:
    """What the simulated tile did with a `TileJob`.

    Attributes
    ----------
    results, expected
        [n, outputs], from the RTL and from the model.
    mismatch
        Where RTL and model first differ, in words: in cells, results or counters; empty if nowhere.
    counters
        Of the RTL at the end, by name.
    latencies
        [n], cycles from the transfer of a vector to the offer of its last results.
    seconds
        Wall clock time of the products, without start and end of the simulator.
    programmed, expected_programmed
        What became of the cells, in the RTL and in the model, if there were any to program.
    programming_cycles
        Clock cycles that took.
    g_s
        Conductances behind the RTL at the end, [slices, rows, bit_lines] in siemens.
    """

    results: NDArray[np.int64]
    expected: NDArray[np.int64]
    mismatch: str
    counters: dict[str, int]
    latencies: NDArray[np.int64]
    seconds: float
    programmed: Outcome | None
    expected_programmed: Outcome | None
    programming_cycles: int
    g_s: NDArray[np.float64]


JOB_VARIABLE = "OHMULATOR_JOB"
"""Environment variable that names the folder of a job."""


def save(path: Path, value: object) -> None:
    """Write a job or an outcome."""
    path.write_bytes(pickle.dumps(value))


def read(path: Path) -> Any:
    """Read what `save` wrote."""
    return pickle.loads(path.read_bytes())
