"""Tell how Verilator builds a library that a Python process simulates with."""

import sys
from pathlib import Path

from environment.files import BUILDS
from environment.tools import Simulator
from sim.build_steps import run_steps
from sim.harness import design
from sim.made import made
from spec.config import ChipConfig

SOURCE = Path(__file__).with_name("harness.cpp")

LIBRARY = "harness.so"
"""Name of what is built."""

RUNTIME = "module runtime(input clk); endmodule\n"
"""Verilog that needs of Verilator's own library what every design needs."""

COMPILER = ["-fPIC", "-std=gnu++17", "-ffp-contract=off"]
"""Options of the C++ compiler: whole products of floating-point numbers are never left unrounded,
so that decisions are those of NumPy."""


class Harness:
    """Commands for one top level; see `sim.runner.Toolchain`."""

    waveform = "none"

    def __init__(self, tool: Simulator, top: str, *, waves: bool):
        assert not waves, "the harness records no waveform of the RTL"
        self.tool = tool
        self._top = top
        self._runtime = (BUILDS / "verilator" / f"harness-{tool.version}").absolute()

    def sources(self, config: ChipConfig, verilog: str) -> dict[str, str]:
        """Return the files that are compiled, by name."""
        pins = design.pins(verilog, self._top)
        return {
            f"{self._top}.v": verilog,
            "harness.sv": design.module(config, self._top, pins),
            "design.h": design.header(config, pins),
            SOURCE.name: SOURCE.read_text(),
        }

    def prepare(self) -> None:
        """Build Verilator's library, which takes longer to compile than most designs.

        Raises
        ------
        SimulationError
            If that fails.
        """

        def build(folder: Path) -> None:
            (folder / "runtime.v").write_text(RUNTIME)
            verilate = [*self._verilate("runtime"), "runtime.v"]
            make = ["make", "-j2", "-f", "Vruntime.mk", "OPT_GLOBAL=-O2", "libverilated.a"]
            run_steps("the library of Verilator", [verilate, make], folder, self.tool)

        made(self._runtime, build)

    def build_commands(self) -> list[list[str]]:
        """Return the commands that compile the files of a folder, to be run in it."""
        archive = self._runtime / "libverilated.a"
        make = ["make", "-j2", "-f", "Vharness.mk", "VM_GLOBAL_FAST=", "VM_GLOBAL_SLOW="]
        return [
            [*self._verilate("harness"), "--exe", f"{self._top}.v", "harness.sv", SOURCE.name],
            # Optimised further, the vectors that compilers find in a design are slower.
            [*make, "OPT_FAST=-O1", "Vharness__ALL.a"],
            [*make, "OPT_FAST=-O2", SOURCE.with_suffix(".o").name],
            [
                *("c++", "-shared", "-o", LIBRARY, SOURCE.with_suffix(".o").name),
                *("Vharness__ALL.a", str(archive), "-lpthread"),
            ],
        ]

    def _verilate(self, top: str) -> list[str]:
        return [
            *(str(self.tool.program), "--cc", "-Mdir", ".", "--prefix", f"V{top}"),
            *("--top-module", top, "--no-timing", "-CFLAGS", " ".join(COMPILER)),
            # Widths are checked by Amaranth, which relies on Verilog's rules for them.
            *("-Wno-fatal", "-Wno-lint", "--output-split", "0", "--x-assign", "fast"),
        ]

    def run_command(self, folder: Path, module: str) -> list[str]:
        """Return the command that simulates what was built in a folder."""
        return [sys.executable, "-m", "sim.harness", str(folder / LIBRARY), module]

    def variables(self, folder: Path, module: str, path: str) -> dict[str, str]:
        """Return the variables of the process that simulates."""
        # Threads of a second core wait for their share busily, and it is a small one.
        return {"OPENBLAS_NUM_THREADS": "1"}
