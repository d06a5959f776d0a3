"""One waveform with both sides of the analogue boundary: digital signals and real values."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vcd import VCDWriter
from vcd.gtkw import GTKWFlag, GTKWSave

from golden.config import ChipConfig
from sim.bits import read_bits, read_flag, unpack

FLAGS = ("strobe", "settled", "sample")


class BoundaryTrace:
    """Write a VCD of the analogue boundary, one entry a cycle, and a GTKWave save file beside it.

    Parameters
    ----------
    path
        The VCD; the save file has the same name and the ending .gtkw.
    dut
        Simulated top level with the port `analog`.
    cycles
        Length: what comes later is not recorded.

    Traces: `digital.*`, the signals of the boundary; `analogue.drive_V_r`, the voltage of word
    line r; `analogue.held_uA_i_g`, the value that ADC i holds of its column g.
    """

    def __init__(self, path: Path, dut: Any, config: ChipConfig, period_ns: int, cycles: int):
        self._config, self._period_ns, self._left = config, period_ns, cycles
        self._file = path.open("w")
        self._writer = VCDWriter(self._file, timescale="1 ns", comment=f"hash {config.hash}")
        self._handles = {name: getattr(dut, f"analog__{name}") for name in FLAGS}
        self._select, self._code = dut.analog__select, dut.analog__code
        self._trial, self._above = dut.analog__trial, dut.analog__above
        self._time = 0

        def variables(scope: str, names: list[str], kind: str, size: int | None) -> list[Any]:
            return [self._writer.register_var(scope, n, kind, size) for n in names]

        lanes = range(config.converters)
        self._flags = variables("digital", list(FLAGS), "wire", 1)
        (self._group,) = variables("digital", ["select"], "wire", config.select_bits)
        self._trials = variables("digital", [f"trial_{i}" for i in lanes], "integer", 64)
        self._aboves = variables("digital", [f"above_{i}" for i in lanes], "wire", 1)
        rows = range(config.rows)
        self._volts = variables("analogue", [f"drive_V_{r}" for r in rows], "real", None)
        held = [f"held_uA_{i}_{g}" for i in lanes for g in range(config.groups)]
        self._held = variables("analogue", held, "real", None)
        self._save(path)

    def cycle(self, held: NDArray[np.float64]) -> None:
        """Record the present cycle; `held` [converters, groups] in units."""
        if not self._left:
            return
        self._left -= 1
        change, now, config = self._writer.change, self._time, self._config
        for variable, handle in zip(self._flags, self._handles.values(), strict=True):
            change(variable, now, read_flag(handle))
        change(self._group, now, read_flag(self._select))
        trials = unpack(read_bits(self._trial), config.converters).astype(np.int64)
        above = read_bits(self._above)[::-1]
        volts = unpack(read_bits(self._code), config.rows) * config.v_step_v
        for variables, values in (
            (self._trials, trials.tolist()),
            (self._aboves, above.tolist()),
            (self._volts, volts.tolist()),
            (self._held, (held.ravel() * config.unit_a * 1e6).tolist()),
        ):
            for variable, value in zip(variables, values, strict=True):
                change(variable, now, value)
        self._time += self._period_ns

    def close(self) -> None:
        """Finish the file."""
        self._writer.close(self._time)
        self._file.close()

    def _save(self, path: Path) -> None:
        """Write the save file: control, one word line, and one ADC with the value it looks for."""
        with path.with_suffix(".gtkw").open("w") as file:
            save = GTKWSave(file)
            save.dumpfile(path.name, abspath=False)
            with save.group("control"):
                for name in FLAGS:
                    save.trace(f"digital.{name}")
                save.trace("digital.select")
            with save.group("word lines"):
                for r in range(min(4, self._config.rows)):
                    save.trace(
                        f"analogue.drive_V_{r}", datafmt="real", extraflags=GTKWFlag.analog_step
                    )
            with save.group("ADC 0"):
                for g in range(min(4, self._config.groups)):
                    save.trace(f"analogue.held_uA_0_{g}", datafmt="real")
                save.trace("digital.trial_0", datafmt="signed")
                save.trace("digital.above_0")
