"""Cells and what became of them, as bits of the ports of a tile."""

import numpy as np
from numpy.typing import NDArray

from golden.tile.write_verify import Targets
from hw.boundary.analog import CellLayout
from hw.tile.write_verify import OutcomeLayout, TargetLayout
from sim.bits import fields, pack_fields
from spec.config import ChipConfig


def unpack_cell(config: ChipConfig, bits: NDArray[np.uint8]) -> Targets:
    """Return the one cell of a `CellLayout`, most significant bit first; its level is 0."""
    cell = fields(CellLayout(config), bits)
    one = {name: np.array([value]) for name, value in cell.items()}
    return Targets(
        one["slice"], one["row"], one["adc"], one["group"], one["side"], np.zeros(1, np.int64)
    )


def pack_targets(config: ChipConfig, targets: Targets) -> list[NDArray[np.bool_]]:
    """Return the payloads of `TargetLayout`, least significant bit first."""
    layout = TargetLayout(config)
    return [
        pack_fields(
            layout,
            {
                "cell": {"slice": s, "row": r, "adc": a, "group": g, "side": side},
                "level": level,
            },
        )
        for s, r, a, g, side, level in zip(
            targets.slices.tolist(),
            targets.rows.tolist(),
            targets.adcs.tolist(),
            targets.groups.tolist(),
            targets.sides.tolist(),
            targets.levels.tolist(),
            strict=True,
        )
    ]


def unpack_outcome(config: ChipConfig, bits: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Return success, code and pulses of an `OutcomeLayout`, most significant bit first."""
    outcome = fields(OutcomeLayout(config), bits)
    return outcome["success"], outcome["code"], outcome["pulses"]
