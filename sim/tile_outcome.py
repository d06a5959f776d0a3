"""Sum up what a simulated tile did with a job."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.tile.write_verify import Outcome
from sim.foreseen import Foreseen
from sim.job import TileJob, TileOutcome
from sim.programming import misprogrammed
from sim.scoreboard import Scoreboard
from sim.tile_counters import expected_counters, miscounted, unpack_counters


@dataclass(frozen=True)
class Programmed:
    """Hold what became of cells, if any, in the RTL and in the model, and how long it took."""

    actual: Outcome | None
    expected: Outcome | None
    cycles: int


@dataclass(frozen=True)
class Duration:
    """Wall clock and processor time of products, the model's own left out, and their latencies."""

    seconds: float
    cpu_s: float
    latencies: NDArray[np.int64]


def patience_cycles(job: TileJob) -> int:
    """Return the cycles for which nothing may come out of a tile at most."""
    config = job.config
    direction = config.direction(job.transposed)
    product = direction.latency_cycles + config.planes * direction.plane_cycles
    pulse = config.settle_cycles + config.pulse_cycles + config.conversion_cycles + 40
    patience = max(product, (config.programming.pulse_limit + 1) * pulse)
    return patience + direction.groups * (max(job.stall) + 1) + max(job.idle) + 100


def summed_up(
    job: TileJob,
    foreseen: Foreseen,
    scoreboard: Scoreboard,
    counters: NDArray[np.uint8],
    programmed: Programmed,
    duration: Duration,
    g_s: NDArray[np.float64],
) -> TileOutcome:
    """Return the outcome of a job whose products the scoreboard has checked.

    `counters` are bits of the tile's port after the last one, `g_s` the conductances behind it.
    """
    counted = unpack_counters(counters)
    mismatch = ""
    if job.targets and programmed.actual and programmed.expected:
        both = programmed.actual, programmed.expected
        mismatch = misprogrammed(job.config, job.targets, *both)
    expected = expected_counters(job, foreseen, programmed.expected)
    report = mismatch or scoreboard.mismatch or miscounted(job, counted, expected)
    outputs = job.config.direction(job.transposed).outputs
    none = np.zeros((0, outputs), np.int64)
    return TileOutcome(
        np.concatenate([none, *scoreboard.results]),
        np.concatenate([none, *scoreboard.expected]),
        len(job.vectors) * outputs,
        scoreboard.wrong,
        f"{report}\n  reproduce     {job.reproduce}" if report else "",
        counted,
        duration.latencies,
        duration.seconds,
        duration.cpu_s,
        programmed.actual,
        programmed.expected,
        programmed.cycles,
        g_s,
    )
