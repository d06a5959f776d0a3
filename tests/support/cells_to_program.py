"""Cells to program, and what write-verify does to them."""

import numpy as np
import pytest

from golden.array.cells import Cells
from golden.tile.analog import Analog
from golden.tile.write_verify import Targets
from spec.physics import Physics
from tests.support.configs import PULSE_SPREADS

SPREADS = Physics.of(
    **PULSE_SPREADS,
    read_noise=0.01,
    dac_offset=0.1,
    dac_gain=0.005,
    adc_offset=0.3,
    adc_gain=0.005,
    adc_inl=0.3,
    adc_dnl=0.3,
    sense_noise=0.2,
)
"""A third of spread from device to device and from pulse to pulse, and converters like real ones.

Pulses are those of the defaults: `pulse_first` 4, one or two codes above the threshold, and so on.
"""


MAPPINGS = ["differential", "offset"]


def cells(*named: tuple[int, int, int, int, int, int]) -> Targets:
    """Return targets from tuples (slice, row, adc, group, side, level)."""
    return Targets(*np.array(named, np.int64).T)


def one_cell(level: int = 0) -> Targets:
    return cells((0, 0, 0, 0, 0, level))


def place(analog: Analog, level: float) -> None:
    """Bring all healthy cells to a level, or between two."""
    config = analog.config
    g_s = config.array.g_min_s + level * config.g_step_s
    analog.array.cells.place(np.full(analog.array.cells.shape, g_s))


def pulses_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return a list that gets kind and amplitude of every pulse of single cells from now on."""
    seen: list[tuple[int, int]] = []
    pulse = Cells.pulse

    def record(self, slices, rows, lines, kind, amplitude):
        seen.extend(zip(np.ravel(kind).tolist(), np.ravel(amplitude).tolist(), strict=True))
        pulse(self, slices, rows, lines, kind, amplitude)

    monkeypatch.setattr(Cells, "pulse", record)
    return seen
