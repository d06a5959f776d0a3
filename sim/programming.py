"""Compare what became of programmed cells with what the model makes of them."""

import numpy as np

from golden.tile.write_verify import Outcome, Targets
from spec.config import ChipConfig


def misprogrammed(config: ChipConfig, targets: Targets, actual: Outcome, expected: Outcome) -> str:
    """Return a report of the first cell whose outcome is another one; empty: none."""
    got, wanted = _table(actual), _table(expected)
    wrong = np.flatnonzero((got != wanted).any(axis=1))
    if not wrong.size:
        return ""
    i = int(wrong[0])
    lines = [
        f"mismatch: {wrong.size} of {len(targets)} cells are programmed differently",
        f"  configuration {config.whole}",
        f"  cell          {i} in order",
        f"  slice         {targets.slices[i]}",
        f"  row           {targets.rows[i]}",
        f"  bit line      {targets.lines(config)[i]}",
        f"  expected      success, code, pulses = {wanted[i].tolist()}",
        f"  actual        success, code, pulses = {got[i].tolist()}",
    ]
    return "\n".join(lines)


def _table(outcome: Outcome) -> np.ndarray:
    return np.stack([outcome.success, outcome.codes, outcome.pulses], axis=1)
