"""Compute the currents and voltages at some points of an analogue part, for a waveform.

Only a few are computed, since each costs time in every cycle: the `WORD_LINES` word lines that
conduct most, the first `COLUMNS` columns in each slice, and the cells where these word lines cross
the first column of the top slice. Where wires have resistance, each plane costs one solution of
each slice as well.

All are free of noise: voltages are what the DACs settle to, currents what the effective matrix
makes of them, and curved cells count as linear.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.array.circuit import wire_ohms
from golden.array.wires import line_voltages
from golden.converter.adc import Adcs
from golden.tile.analog import Analog
from golden.tile.mapping import column_values
from golden.tile.write_verify import Targets
from spec.tables import Mapping

WORD_LINES, COLUMNS = 4, 4


class Drive(NamedTuple):
    """Voltages of the recorded word lines, at both ends, and currents of the recorded columns."""

    volts: NDArray[np.float64]
    ends_v: NDArray[np.float64]
    amperes: NDArray[np.float64]


class Probes:
    """Choose what is recorded of an analogue part, and follow its values.

    Attributes
    ----------
    rows
        Recorded word lines.
    columns
        Recorded (slice, column).
    cells
        Recorded cells: (slice, row, line).
    converters, groups
        Number of the ADC of each recorded column, and its group.
    """

    def __init__(self, analog: Analog):
        self._analog = analog
        config = analog.config
        top = config.array.slices - 1
        conducting = analog.array.g_s[:, :, : 2 * COLUMNS].sum(axis=(0, 2))
        self.rows = np.sort(np.argsort(-conducting, kind="stable")[:WORD_LINES])
        shown = range(min(COLUMNS, config.array.columns))
        self.columns = [(s, c) for s in range(config.array.slices) for c in shown]
        s, c = np.array(self.columns).T
        adcs, self.groups = np.divmod(c, config.forward.groups)
        self.converters = s * config.converter.adcs + adcs
        lines = (0, 1) if config.array.mapping is Mapping.DIFFERENTIAL else (0,)
        self.cells = [(top, int(row), line) for row in self.rows for line in lines]
        self._versions = analog.array.cells.versions - 1
        self._steps: bytes | None = None

    def refresh(self) -> bool:
        """Take over the conductances, and return whether any of them changed."""
        array = self._analog.array
        if (self._versions == array.cells.versions).all():
            return False
        self._versions = array.cells.versions.copy()
        self._g_s = array.g_s
        self._columns_s: NDArray[np.float64] | None = None
        return True

    def conductances_us(self) -> list[float]:
        """Return the conductances of `cells` in microsiemens."""
        return [float(self._g_s[cell]) * 1e6 for cell in self.cells]

    def drive(self, codes: NDArray[np.int64]) -> Drive:
        """Return the values under DAC codes [rows]."""
        array, physics = self._analog.array, self._analog.config.physics
        volts = array.drive_v(codes)
        ends = volts[self.rows]
        if physics.wires.resistive:
            lines = line_voltages(self._g_s[-1], volts, **wire_ohms(physics.wires))
            ends = lines.word[self.rows, -1]
        if self._columns_s is None:
            columns = column_values(self._analog.config, array.effective_s.transpose(1, 0, 2))
            self._columns_s = columns[:, self.converters, self.groups]
        return Drive(volts[self.rows], ends, volts @ self._columns_s)

    def read(self, cell: Targets) -> Drive:
        """Return the values while one cell is read: it alone conducts."""
        analog, config = self._analog, self._analog.config
        line = cell.lines(config)
        codes = np.full(config.array.rows, config.verify_code)
        here = self.rows == cell.rows
        volts = np.where(here, analog.array.drive_v(codes)[self.rows], 0.0)
        amperes = analog.array.cell_currents(cell.slices, cell.rows, line)[0] * config.unit_a
        wires_ohm = config.physics.wires.r_driver_ohm + config.physics.wires.r_word_ohm * line
        top = cell.slices == config.array.slices - 1
        ends = volts - np.where(here & top, amperes * wires_ohm, 0.0)
        seen = (self.converters == cell.converters(config)) & (self.groups == cell.groups)
        return Drive(volts, ends, np.where(seen, amperes, 0.0))

    def nothing(self) -> Drive:
        """Return the values at rest."""
        rest = np.zeros(len(self.rows))
        return Drive(rest, rest, np.zeros(len(self.columns)))

    def trial_levels_ua(self, steps: NDArray[np.int64], trials: NDArray[np.float64]) -> list[float]:
        """Return the trial levels of `columns` in microamperes.

        ADC steps are [steps], trial codes [converters].
        """
        if steps.tobytes() != self._steps:
            self._steps = steps.tobytes()
            self._adcs: Adcs = self._analog.adcs(steps)
        levels = self._adcs.threshold(trials)[self.converters]
        return (levels * self._analog.config.unit_a * 1e6).tolist()
