"""Tell how Verilator builds a simulator and runs it."""

from pathlib import Path

from cocotb_tools import config as cocotb_config

from environment.files import BUILDS
from environment.tools import Simulator
from sim.build_steps import run_steps
from sim.cocotb_variables import cocotb_variables
from sim.made import made
from spec.config import ChipConfig

PORTS = """`verilator_config
public_flat_rw -module "{top}" -var "clk"
public_flat_rw -module "{top}" -var "rst"
public_flat_rw -module "{top}" -var "*__*"
public_flat_rw -module "{top}" -var "hold"
public_flat_rw -module "{top}" -var "counters"
"""
"""Only the ports are visible to cocotb: with every signal public, Verilator is far slower."""

RUNTIME = "module runtime(input clk); endmodule\n"
"""Verilog that needs all of Verilator's own library."""


class Verilator:
    """Commands for one top level; see `sim.runner.Toolchain`."""

    waveform = "rtl.vcd"

    def __init__(self, tool: Simulator, top: str, *, waves: bool):
        self.tool = tool
        self._top, self._waves = top, waves
        self._runtime = (BUILDS / "verilator" / f"library-{tool.version}").absolute()

    def sources(self, config: ChipConfig, verilog: str) -> dict[str, str]:
        """Return the files that are compiled, by name."""
        return {"ports.vlt": PORTS.format(top=self._top), f"{self._top}.v": verilog}

    def prepare(self) -> None:
        """Build the library of all simulators, which takes longer to compile than most of them.

        Raises
        ------
        SimulationError
            If that fails.
        """

        def build(folder: Path) -> None:
            (folder / "runtime.v").write_text(RUNTIME)
            flags = ["--cc", "--vpi", "--public-flat-rw", "--trace", "--prefix", "Vruntime"]
            make = ["make", "-j2", "-f", "Vruntime.mk", "OPT_GLOBAL=-O2", "OPT_FAST=-O0"]
            commands = [
                [str(self.tool.program), *flags, "-Mdir", ".", "runtime.v"],
                [*make, "libverilated.a"],
            ]
            run_steps("the library of Verilator", commands, folder, self.tool)

        made(self._runtime, build)

    def build_commands(self) -> list[list[str]]:
        """Return the commands that compile the files of a folder, to be run in it."""
        libraries = cocotb_config.libs_dir
        main = cocotb_config.share_dir / "lib" / "verilator" / "verilator.cpp"
        link = f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"
        verilate = [
            *(str(self.tool.program), "--cc", "--exe", "-Mdir", ".", "--prefix", "Vtop"),
            *("--top-module", self._top, "-o", self._top, "--vpi", "--no-public-flat-rw"),
            # Widths are checked by Amaranth, which relies on Verilog's rules for them.
            *("-Wno-fatal", "-Wno-lint", "--output-split", "0", "--timescale", "1ns/1ps"),
            *(["--trace"] if self._waves else []),
            *("-LDFLAGS", link, str(main), "ports.vlt", f"{self._top}.v"),
        ]
        make = [
            *("make", "-j2", "-f", "Vtop.mk", f"VM_TRACE={int(self._waves)}"),
            *("OPT_FAST=-O1", "VM_GLOBAL_FAST=", "VM_GLOBAL_SLOW="),
            f"USER_LDLIBS={self._runtime / 'libverilated.a'}",
        ]
        return [verilate, make]

    def run_command(self, folder: Path, module: str) -> list[str]:
        """Return the command that simulates what was built in a folder."""
        trace = ["--trace", "--trace-file", self.waveform] if self._waves else []
        return [str(folder / self._top), *trace]

    def variables(self, folder: Path, module: str, path: str) -> dict[str, str]:
        """Return the variables with which a testbench runs in a folder; see `cocotb_variables`."""
        return cocotb_variables(self._top, module, folder, path, trusted=True)
