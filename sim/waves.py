"""Write one waveform with both sides of the analogue boundary: digital signals and real values.

Real values are those of `sim.probes`, but held values have their noise. While cells are programmed,
only the word line of a cell that is read has a voltage; the voltage of a write pulse is recorded as
its amplitude, a code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vcd import VCDWriter

from golden.tile.analog import Analog
from hw.boundary.analog import Mode
from sim.cell_payloads import unpack_cell
from sim.packing import unpack, unpack_word
from sim.probes import Probes
from sim.save_file import FLAGS, save
from spec.config import ChipConfig

Read = Callable[[str], NDArray[np.uint8]]


class BoundaryTrace:
    """Write a VCD of the analogue boundary, one entry a cycle, and a GTKWave save file beside it.

    Traces, of word line r, column c of slice s, and its ADC:

    - `digital.*`: clock, control (`mode` is a `hw.boundary.analog.Mode`), `amplitude` of write
      pulses; `trial_s_c` and `above_s_c`, trial code and answer of the comparator, or `found_s_c`,
      code that the ADC found by itself;
    - `analogue.word_V_r` and `analogue.word_end_V_r`: voltage at the driver and at the far end in
      the top slice;
    - `analogue.column_uA_s_c`: current of the present drive, settled;
    - `analogue.held_uA_s_c`: held value, noise included;
    - `analogue.trial_uA_s_c`: trial level, with which it is compared, if the periphery searches;
    - `analogue.cell_uS_s_r_l`: conductance of the cell of slice s, row r, bit line l.

    Parameters
    ----------
    path
        The VCD; the save file has the same name and the ending .gtkw.
    read
        Returns the bits of a signal of the boundary by its name, the most significant first.
    cycles
        Length: what comes later is not recorded.

    Attributes
    ----------
    left
        Cycles that are still to be recorded.
    """

    def __init__(self, path: Path, read: Read, config: ChipConfig, period_ns: int, cycles: int):
        self._config, self._period_ns, self.left = config, period_ns, cycles
        self._read = read
        self._path, self._time = path, 0
        self._file = path.open("w")
        self._writer = VCDWriter(self._file, timescale="1 ns", comment=f"hash {config.whole}")
        self._code_of_adc = "trial" if config.converter.searching else "found"
        self._present = (Mode.IDLE, b"")
        self._probes: Probes | None = None

    def cycle(
        self,
        held: NDArray[np.float64],
        steps: NDArray[np.int64],
        above: NDArray[np.bool_],
        analog: Analog,
    ) -> None:
        """Record the present cycle.

        Values held [converters, groups] are in units, with their ADC steps [steps]. The answers
        `above` [converters] are given, since the signal takes them a little later.
        """
        if not self.left:
            return
        self.left -= 1
        probes = self._probes
        if probes is None:
            probes = self._probes = Probes(analog)
            self._register(probes)
        self._writer.change(self._clock, self._time, 1)
        self._record(self._flags, [self._number(name) for name in FLAGS])
        self._record_conversion(probes, held, steps, above)
        self._record_drive(probes)
        self._writer.change(self._clock, self._time + self._period_ns // 2, 0)
        self._time += self._period_ns

    def _record_conversion(
        self,
        probes: Probes,
        held: NDArray[np.float64],
        steps: NDArray[np.int64],
        above: NDArray[np.bool_],
    ) -> None:
        config = self._config
        self._record([self._group], [self._number("select")])
        codes = unpack(self._read(self._code_of_adc), config.converters)
        self._record(self._codes, codes[probes.converters].astype(np.int64).tolist())
        if config.converter.searching:
            self._record(self._aboves, above[probes.converters].astype(int).tolist())
            self._record(self._trial_levels, probes.trial_levels_ua(steps, codes))
        values = held[probes.converters, probes.groups] * (config.unit_a * 1e6)
        self._record(self._held, values.tolist())

    def _record_drive(self, probes: Probes) -> None:
        """Record cells and lines, which are computed only when cells or drive have changed."""
        config = self._config
        changed = probes.refresh()
        if changed:
            self._record(self._cells, probes.conductances_us())
        mode = Mode(self._number("mode"))
        asked = self._read("code" if mode is Mode.MVM else "cell")
        present = (mode, asked.tobytes())
        self._record(self._modes, [mode.name, self._number("amplitude")])
        if not changed and present == self._present:
            return
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

    def _number(self, name: str) -> int:
        return unpack_word(self._read(name))

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

        def reals(kind: str, names: list[str]) -> list[Any]:
            return variables("analogue", [f"{kind}_{name}" for name in names], "real", None)

        rows = [str(r) for r in probes.rows]
        columns = [f"{s}_{c}" for s, c in probes.columns]
        cells = [f"{s}_{r}_{line}" for s, r, line in probes.cells]
        # Integers: a wire of several bits would have a range in its name, which GTKWave insists on.
        (self._clock,) = variables("digital", ["clk"], "wire", 1)
        self._flags = variables("digital", list(FLAGS), "wire", 1)
        (self._group,) = variables("digital", ["select"], "integer", 64)
        self._modes = variables("digital", ["mode"], "string", None)
        self._modes += variables("digital", ["amplitude"], "integer", 64)
        searching, code = self._config.converter.searching, self._code_of_adc
        self._codes = variables("digital", [f"{code}_{c}" for c in columns], "integer", 64)
        self._volts, self._ends = reals("word_V", rows), reals("word_end_V", rows)
        self._currents, self._held = reals("column_uA", columns), reals("held_uA", columns)
        self._cells = reals("cell_uS", cells)
        if searching:
            self._aboves = variables("digital", [f"above_{c}" for c in columns], "wire", 1)
            self._trial_levels = reals("trial_uA", columns)
        with self._path.with_suffix(".gtkw").open("w") as file:
            save(file, self._path.name, self._config, self._period_ns, rows, cells)
