"""Pack cells into the payloads of a tile's ports, and unpack what became of them."""

import numpy as np
from numpy.typing import NDArray

from golden.tile.write_verify import Targets
from hw.boundary.analog import CellLayout
from hw.tile.write_verify import OutcomeLayout, TargetLayout
from sim.packing import pack_fields, unpack_fields
from spec.config import ChipConfig


def unpack_cell(config: ChipConfig, bits: NDArray[np.uint8]) -> Targets:
    """Return the one cell of a `CellLayout`, most significant bit first; its level is 0."""
    cell = unpack_fields(CellLayout(config), bits)
    one = {name: np.array([value]) for name, value in cell.items()}
    return Targets(
        one["slice"], one["row"], one["adc"], one["group"], one["side"], np.zeros(1, np.int64)
    )


def pack_targets(config: ChipConfig, targets: Targets) -> list[NDArray[np.bool_]]:
    """Return a `TargetLayout` for each target, least significant bit first."""
    layout = TargetLayout(config)
    columns = {
        "slice": targets.slices,
        "row": targets.rows,
        "adc": targets.adcs,
        "group": targets.groups,
        "side": targets.sides,
    }
    cells = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        pack_fields(
            layout, {"cell": dict(zip(columns, cell, strict=True)), "level": level, "reads": 0}
        )
        for cell, level in zip(cells, targets.levels.tolist(), strict=True)
    ]


def unpack_outcome(config: ChipConfig, bits: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Return success, code and pulses of an `OutcomeLayout`, most significant bit first."""
    outcome = unpack_fields(OutcomeLayout(config), bits)
    return outcome["success"], outcome["code"], outcome["pulses"]
