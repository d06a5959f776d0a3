"""Compare the counters of a tile with what the model counted."""

import numpy as np
from numpy.typing import NDArray

from golden.tile.write_verify import Outcome
from sim.foreseen import Foreseen
from sim.job import TileJob
from sim.packing import unpack_wide
from spec.counters import COUNTER_BITS, LOOP_COUNTERS, TILE_COUNTERS


def unpack_counters(bits: NDArray[np.uint8]) -> dict[str, int]:
    """Return the counters of a tile by name, from the bits of its port."""
    values = unpack_wide(bits, len(bits) // COUNTER_BITS, signed=False)
    # Those of loops are not there in every tile.
    names = (counter.name for counter in TILE_COUNTERS + LOOP_COUNTERS)
    return {name: int(value) for name, value in zip(names, values, strict=False)}


def expected_counters(
    job: TileJob, foreseen: Foreseen, programmed: Outcome | None
) -> dict[str, int]:
    """Return those counters that do not depend on time, after a whole job, by name."""
    config = job.config
    drives = len(job.vectors) * config.planes
    counters = {
        "drives": drives,
        "conversions": drives * config.direction(job.transposed).groups * config.converters,
        "clips_high": foreseen.clips_high,
        "clips_low": foreseen.clips_low,
        "saturations": foreseen.saturations,
        "reads": 0,
        "pulses": 0,
        "failures": 0,
    }
    if programmed:
        pulses = int(programmed.pulses.sum())
        counters["reads"] = len(programmed.pulses) + pulses
        counters["pulses"] = pulses
        counters["failures"] = int((~programmed.success).sum())
    return counters


def miscounted(job: TileJob, counters: dict[str, int], expected: dict[str, int]) -> str:
    """Return a report of the counters that differ from those expected; empty: none."""
    wrong = [
        f"  {name:13} {counters[name]}, expected {count}"
        for name, count in expected.items()
        if counters[name] != count
    ]
    head = [f"mismatch: {len(wrong)} counters differ", f"  configuration {job.config.whole}"]
    return "\n".join(head + wrong) if wrong else ""
