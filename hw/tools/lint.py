"""Lint the Verilog of every top level with Verilator: `make lint`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environment.tools import verilator
from hw.tools.verilog import TOPS, generate
from spec.config import ChipConfig
from spec.load import load

WAIVERS = Path(__file__).parents[2] / "constraints" / "verilator.vlt"
"""Kinds of warnings that are none."""


def designs() -> dict[str, tuple[str, str]]:
    """Return what is linted, by name: a top level, and its Verilog."""
    small = load("pku2025", rows=4, columns=4, adcs=2, slices=2, input_bits=4, tiles=1)
    found = {top: (top, generate(small, top)) for top in TOPS}
    # Every kind of mapping, converter, loop and memory once.
    loops = load("solver", rows=4, columns=4, adcs=2, slices=2, tiles=2, invertible=True)
    others: dict[str, ChipConfig] = {
        "tile of offset cells": small.replace(mapping="offset", comparator_sync=2, settled_sync=2),
        "tile of converting ADCs": small.replace(conversion_s=50e-9),
        "tile of loops with a timer": loops.replace(inv_timer_s=1e-7),
    }
    found |= {name: ("tile", generate(config, "tile")) for name, config in others.items()}
    asic = generate(loops, "chip", "blackbox", "blackbox", "asic")
    return found | {"chip of loops and black boxes": ("chip", asic)}


def lint(verilog: str, top: str) -> str:
    """Return what Verilator has to say against the Verilog of a top level; empty: nothing."""
    tool = verilator()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "design.v"
        path.write_text(verilog)
        command = [tool.program, "--lint-only", "-Wall", "--top-module", top, WAIVERS, path]
        done = subprocess.run(
            [str(part) for part in command],
            env=os.environ | tool.env,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stderr if done.returncode else ""


def main() -> int:
    for name, (top, verilog) in designs().items():
        if said := lint(verilog, top):
            sys.stderr.write(f"{name}:\n{said}")
            return 1
        print(f"{name}: no warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
