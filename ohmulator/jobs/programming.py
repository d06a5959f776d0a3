"""Figures and picture of cells that write-verify programmed through the Verilog."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.array.lines import Array
from ohmulator.jobs import pictures
from sim.job import TileOutcome
from spec.config import ChipConfig


def figures(array: Array, levels: NDArray[np.int64], outcome: TileOutcome) -> dict[str, Any]:
    """Return figures of the cells; `array` knows which are stuck, `levels` are their targets.

    Levels are [slices, rows, bit_lines].
    """
    done, config = outcome.programmed, array.config
    assert done is not None
    healthy = ~array.cells.stuck
    error = (outcome.g_s - config.array.g_min_s) / config.g_step_s - levels
    within = np.abs(error[healthy]) < 0.5
    return {
        "cells_programmed": len(done.success),
        "cells_given_up": int((~done.success).sum()),
        "cells_stuck": int((~healthy).sum()),
        "healthy_within_half_a_level": float(within.mean()) if within.size else None,
        "pulses_mean": float(done.pulses.mean()),
        "pulses_most": int(done.pulses.max()),
        "programming_cycles": outcome.programming_cycles,
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return figures as rows of a table."""
    within = found["healthy_within_half_a_level"]
    return [
        ("cells programmed, given up", f"{found['cells_programmed']}, {found['cells_given_up']}"),
        (
            "healthy cells within half a level",
            "not measurable" if within is None else f"{within:.3%}",
        ),
        ("pulses a cell, mean and most", f"{found['pulses_mean']:.1f}, {found['pulses_most']}"),
        ("clock cycles of programming", f"{found['programming_cycles']}"),
    ]


def picture(config: ChipConfig, levels: NDArray[np.int64], outcome: TileOutcome) -> bytes:
    """Return the picture of the cells of the top slice as a PNG file."""
    return pictures.png(pictures.cells(config, levels, outcome.g_s, config.array.slices - 1))
