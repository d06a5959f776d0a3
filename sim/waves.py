"""One waveform with both sides of the analogue boundary: digital signals and real values.

Only a few lines are recorded, since each costs time in every cycle: the `WORD_LINES` word lines
that conduct most, the first `COLUMNS` columns in each slice, and the cells where these word lines
cross the first column of the top slice. Where wires have resistance, each plane costs one solution
of each slice as well.

Real values are free of noise, except for those held: voltages are what the DACs settle to,
currents what the effective matrix makes of them, and curved cells count as linear. While cells are
programmed, only the word line of a cell that is read has a voltage: that of write pulses is
recorded as their amplitude, a code.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from vcd import VCDWriter
from vcd.gtkw import GTKWColor, GTKWFlag, GTKWSave

from golden.array.wires import line_voltages
from golden.converter.adc import Adcs
from golden.tile.analog import Analog
from golden.tile.mapping import column_values
from golden.tile.write_verify import Targets
from hw.boundary.analog import Mode
from sim.bits import read_bits, read_flag, unpack
from sim.cells import unpack_cell
from spec.config import ChipConfig
from spec.tables import Mapping

FLAGS = ("strobe", "settled", "sample")
WORD_LINES, COLUMNS = 4, 4


class Drive(NamedTuple):
    """Voltages of the recorded word lines, at both ends, and currents of the recorded columns."""

    volts: NDArray[np.float64]
    ends_v: NDArray[np.float64]
    amperes: NDArray[np.float64]


class Probes:
    """What is recorded of an analogue part: lines, columns and cells, and their present values.

    Attributes
    ----------
    rows
        Recorded word lines.
    columns
        Recorded (slice, column).
    cells
        Recorded cells: (slice, row, line).
    lanes, groups
        ADC of each recorded column, and its place among the columns of that ADC.
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
        self.lanes = s * config.converter.adcs + adcs
        lines = (0, 1) if config.array.mapping is Mapping.DIFFERENTIAL else (0,)
        self.cells = [(top, int(row), line) for row in self.rows for line in lines]
        self._versions = analog.array.cells.versions - 1
        self._steps: bytes | None = None

    def refresh(self) -> bool:
        """Follow the cells; return whether any of them changed."""
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
        """Return what DAC codes [rows] make of the lines."""
        array, physics = self._analog.array, self._analog.config.physics
        volts = array.drive_v(codes)
        ends = volts[self.rows]
        if physics.wires.resistive:
            lines = line_voltages(
                self._g_s[-1],
                volts,
                r_word=physics.wires.r_word_ohm,
                r_bit=physics.wires.r_bit_ohm,
                r_driver=physics.wires.r_driver_ohm,
                r_sense=physics.wires.r_sense_ohm,
            )
            ends = lines.word[self.rows, -1]
        if self._columns_s is None:
            columns = column_values(self._analog.config, array.effective_s.transpose(1, 0, 2))
            self._columns_s = columns[:, self.lanes, self.groups]
        return Drive(volts[self.rows], ends, volts @ self._columns_s)

    def read(self, cell: Targets) -> Drive:
        """Return what reading one cell makes of the lines: it alone conducts."""
        analog, config = self._analog, self._analog.config
        line = cell.lines(config)
        codes = np.full(config.array.rows, config.verify_code)
        here = self.rows == cell.rows
        volts = np.where(here, analog.array.drive_v(codes)[self.rows], 0.0)
        amperes = analog.array.cell_currents(cell.slices, cell.rows, line)[0] * config.unit_a
        wires_ohm = config.physics.wires.r_driver_ohm + config.physics.wires.r_word_ohm * line
        top = cell.slices == config.array.slices - 1
        ends = volts - np.where(here & top, amperes * wires_ohm, 0.0)
        seen = (self.lanes == cell.converters(config)) & (self.groups == cell.groups)
        return Drive(volts, ends, np.where(seen, amperes, 0.0))

    def nothing(self) -> Drive:
        """Return the lines at rest."""
        rest = np.zeros(len(self.rows))
        return Drive(rest, rest, np.zeros(len(self.columns)))

    def trial_levels_ua(
        self, steps: NDArray[np.float64], trials: NDArray[np.float64]
    ) -> list[float]:
        """Return what the ADCs of `columns` compare with: steps [steps], trials [converters]."""
        if steps.tobytes() != self._steps:
            self._steps = steps.tobytes()
            self._adcs: Adcs = self._analog.adcs(steps.astype(np.int64))
        levels = self._adcs.threshold(trials)[self.lanes]
        return (levels * self._analog.config.unit_a * 1e6).tolist()


class BoundaryTrace:
    """Write a VCD of the analogue boundary, one entry a cycle, and a GTKWave save file beside it.

    Traces, of word line r, column c of slice s, and its ADC:

    - `digital.*`: clock, control (`mode` is a `hw.boundary.analog.Mode`), `amplitude` of write
      pulses; `trial_s_c` and `above_s_c`, question and answer of the ADC;
    - `analogue.word_V_r` and `analogue.word_end_V_r`: voltage at the driver and at the far end in
      the top slice;
    - `analogue.column_uA_s_c`: current of the present drive, settled;
    - `analogue.held_uA_s_c`: current that was sampled, noise included;
    - `analogue.trial_uA_s_c`: current that it is compared with;
    - `analogue.cell_uS_s_r_l`: conductance of the cell of slice s, row r, bit line l.

    Parameters
    ----------
    path
        The VCD; the save file has the same name and the ending .gtkw.
    dut
        Simulated top level with the port `analog`.
    cycles
        Length: what comes later is not recorded.
    """

    def __init__(self, path: Path, dut: Any, config: ChipConfig, period_ns: int, cycles: int):
        self._config, self._period_ns, self._left = config, period_ns, cycles
        self._path, self._time = path, 0
        self._file = path.open("w")
        self._writer = VCDWriter(self._file, timescale="1 ns", comment=f"hash {config.whole}")
        self._handles = [getattr(dut, f"analog__{name}") for name in FLAGS]
        self._select, self._code = dut.analog__select, dut.analog__code
        self._mode, self._cell = dut.analog__mode, dut.analog__cell
        self._step, self._amplitude = dut.analog__step, dut.analog__amplitude
        self._trial = dut.analog__trial
        self._present = (Mode.IDLE, b"")
        self._probes: Probes | None = None

    def cycle(self, held: NDArray[np.float64], above: NDArray[np.bool_], analog: Analog) -> None:
        """Record the present cycle: values held [converters, groups] in units, and the answers.

        The answers `above` [converters] are given, since the signal takes them a little later.
        """
        if not self._left:
            return
        self._left -= 1
        probes = self._probes
        if probes is None:
            probes = self._probes = Probes(analog)
            self._register(probes)
        now, config = self._time, self._config
        self._writer.change(self._clock, now, 1)
        self._record(self._flags, [read_flag(handle) for handle in self._handles])
        self._record([self._group], [read_flag(self._select)])
        trials = unpack(read_bits(self._trial), config.converters)
        steps = unpack(read_bits(self._step), config.steps, signed=False)
        self._record(self._trials, trials[probes.lanes].astype(np.int64).tolist())
        self._record(self._aboves, above[probes.lanes].astype(int).tolist())
        self._record(self._trial_levels, probes.trial_levels_ua(steps, trials))
        values = held[probes.lanes, probes.groups] * (config.unit_a * 1e6)
        self._record(self._held, values.tolist())

        changed = probes.refresh()
        if changed:
            self._record(self._cells, probes.conductances_us())
        mode = Mode(read_flag(self._mode))
        asked = read_bits(self._code if mode is Mode.MVM else self._cell)
        present = (mode, asked.tobytes())
        self._record(self._modes, [mode.name, read_flag(self._amplitude)])
        if changed or present != self._present:
            self._present = present
            if mode is Mode.MVM:
                codes = unpack(asked, config.drive_lines).astype(np.int64)
                drive = probes.drive(codes[: config.array.rows])
            elif mode is Mode.READ:
                drive = probes.read(unpack_cell(config, asked))
            else:
                drive = probes.nothing()
            self._record(self._volts, drive.volts.tolist())
            self._record(self._ends, drive.ends_v.tolist())
            self._record(self._currents, (drive.amperes * 1e6).tolist())
        self._writer.change(self._clock, now + self._period_ns // 2, 0)
        self._time += self._period_ns

    def close(self) -> None:
        """Finish the file."""
        self._writer.close(self._time)
        self._file.close()

    def _record(self, variables: list[Any], values: list[Any]) -> None:
        for variable, value in zip(variables, values, strict=True):
            self._writer.change(variable, self._time, value)

    def _register(self, probes: Probes) -> None:
        """Declare the variables and write the save file."""

        def variables(scope: str, names: list[str], kind: str, size: int | None) -> list[Any]:
            return [self._writer.register_var(scope, n, kind, size) for n in names]

        # Integers: a wire of several bits would have a range in its name, which GTKWave insists on.
        def reals(kind: str, names: list[str]) -> list[Any]:
            return variables("analogue", [f"{kind}_{name}" for name in names], "real", None)

        rows = [str(r) for r in probes.rows]
        columns = [f"{s}_{c}" for s, c in probes.columns]
        cells = [f"{s}_{r}_{line}" for s, r, line in probes.cells]
        (self._clock,) = variables("digital", ["clk"], "wire", 1)
        self._flags = variables("digital", list(FLAGS), "wire", 1)
        (self._group,) = variables("digital", ["select"], "integer", 64)
        self._modes = variables("digital", ["mode"], "string", None)
        self._modes += variables("digital", ["amplitude"], "integer", 64)
        self._trials = variables("digital", [f"trial_{c}" for c in columns], "integer", 64)
        self._aboves = variables("digital", [f"above_{c}" for c in columns], "wire", 1)
        self._volts, self._ends = reals("word_V", rows), reals("word_end_V", rows)
        self._currents, self._held = reals("column_uA", columns), reals("held_uA", columns)
        self._trial_levels, self._cells = reals("trial_uA", columns), reals("cell_uS", cells)
        with self._path.with_suffix(".gtkw").open("w") as file:
            _save(GTKWSave(file), self._path.name, self._config, self._period_ns, rows, cells)


def _save(
    save: GTKWSave,
    dump: str,
    config: ChipConfig,
    period_ns: int,
    rows: list[str],
    cells: list[str],
) -> None:
    """Write the save file: groups from the drive to the code, real values drawn as curves."""
    width = 1500
    save.dumpfile(dump, abspath=False)
    save.size(width, 980)
    save.sst_expanded(False)
    save.signals_width(330)
    # GTKWave's zoom is -log2 of the time units of 200 pixels: the first two products fill the
    # window.
    way = config.forward
    shown_ns = (way.latency_cycles + config.planes * way.plane_cycles) * period_ns
    save.zoom_markers(-float(np.log2(200 * shown_ns / (width - 400))))

    def curve(name: str, alias: str, colour: GTKWColor, height: int = 2) -> None:
        flags = GTKWFlag.analog_step | GTKWFlag.analog_fullscale
        save.trace(f"analogue.{name}", alias, colour, "real", extraflags=flags)
        for _ in range(height - 1):
            save.blank(analog_extend=True)

    with save.group("control"):
        for name in ("clk", "mode", *FLAGS):
            save.trace(f"digital.{name}", datafmt="ascii" if name == "mode" else "hex")
        if config.forward.groups > 1:
            save.trace("digital.select", datafmt="dec")
    with save.group("word lines"):
        for row in rows[:2]:
            curve(f"word_V_{row}", f"row {row}, at the driver (V)", GTKWColor.orange)
            if config.physics.wires.resistive:
                curve(f"word_end_V_{row}", f"row {row}, far end (V)", GTKWColor.yellow)
    top = config.array.slices - 1
    for column in range(min(2, config.array.columns)):
        at = f"{top}_{column}"
        with save.group(f"slice {top}, column {column}", closed=column > 0):
            curve(f"column_uA_{at}", "current of the drive (uA)", GTKWColor.green, 4)
            curve(f"held_uA_{at}", "held (uA)", GTKWColor.green, 4)
            curve(f"trial_uA_{at}", "compared with (uA)", GTKWColor.yellow, 4)
            save.trace(f"digital.trial_{at}", "trial", datafmt="signed")
            save.trace(f"digital.above_{at}", "held is above")
    with save.group("cells"):
        save.trace("digital.amplitude", "amplitude of pulses", datafmt="dec")
        for cell in cells[:2]:
            slice_, row, line = cell.split("_")
            name = f"slice {slice_}, row {row}, line {line} (uS)"
            curve(f"cell_uS_{cell}", name, GTKWColor.violet)
