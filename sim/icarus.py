"""Tell how Icarus Verilog builds a simulator and runs it."""

import shutil
from pathlib import Path

from cocotb_tools import config as cocotb_config

from environment.tools import Simulator
from sim.cocotb_variables import cocotb_variables
from spec.config import ChipConfig

DUMP = """module dump;
  initial begin
    $dumpfile("rtl.fst");
    $dumpvars(0, {top});
  end
endmodule
"""
"""Records all signals, in the folder of the run."""


class Icarus:
    """Commands for one top level; see `sim.runner.Toolchain`."""

    waveform = "rtl.fst"

    def __init__(self, tool: Simulator, top: str, *, waves: bool):
        self.tool = tool
        self._top, self._waves = top, waves

    def sources(self, config: ChipConfig, verilog: str) -> dict[str, str]:
        """Return the files that are compiled, by name."""
        files = {f"{self._top}.v": verilog, "command": "+timescale+1ns/1ps\n"}
        if self._waves:
            files["dump.v"] = DUMP.format(top=self._top)
        return files

    def prepare(self) -> None:
        """Do nothing: all that is needed is installed."""

    def build_commands(self) -> list[list[str]]:
        """Return the commands that compile the files of a folder, to be run in it."""
        tops = [self._top, *(["dump"] if self._waves else [])]
        arguments = ["-g2005", "-f", "command", "-o", "sim.vvp"]
        for top in tops:
            arguments += ["-s", top]
        return [[str(self.tool.program), *arguments, *(f"{top}.v" for top in tops)]]

    def run_command(self, folder: Path, module: str) -> list[str]:
        """Return the command that simulates what was built in a folder."""
        library = cocotb_config.lib_entry("vpi", "icarus")
        beside = self.tool.program.with_name("vvp")
        vvp = str(beside) if beside.exists() else shutil.which("vvp") or "vvp"
        dump = "-fst" if self._waves else "-none"
        return [vvp, "-m", library, str(folder / "sim.vvp"), dump]

    def variables(self, folder: Path, module: str, path: str) -> dict[str, str]:
        """Return the variables with which a testbench runs in a folder; see `cocotb_variables`."""
        return cocotb_variables(self._top, module, folder, path, trusted=False)
