"""Lint the Verilog of every top level with Verilator: `make lint`."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from environment.tools import verilator
from hw.tools.verilog import TOPS, generate
from spec.config import ChipConfig
from spec.load import load

WAIVERS = Path(__file__).parents[2] / "constraints" / "verilator.vlt"
"""Kinds of warnings that are none."""


SMALL = {"rows": 4, "columns": 4, "adcs": 2, "slices": 2, "tiles": 1}


def _loops(**fields: object) -> ChipConfig:
    return load("solver", **SMALL | {"tiles": 2, "invertible": True} | fields)


def _products(**fields: object) -> ChipConfig:
    return load("pku2025", **SMALL | {"input_bits": 4} | fields)


DESIGNS: dict[str, tuple[str, Callable[[], str]]] = {
    **{top: (top, lambda top=top: generate(_products(), top)) for top in TOPS},  # type: ignore[misc]
    "tile of offset cells": (
        "tile",
        lambda: generate(_products(mapping="offset", comparator_sync=2, settled_sync=2), "tile"),
    ),
    "tile of converting ADCs": ("tile", lambda: generate(_products(conversion_s=50e-9), "tile")),
    "tile of loops with a timer": ("tile", lambda: generate(_loops(inv_timer_s=1e-7), "tile")),
    "chip of loops and black boxes": (
        "chip",
        lambda: generate(_loops(), "chip", "blackbox", "blackbox", "asic"),
    ),
}
"""What is linted, by name: a top level, and what returns its Verilog: every kind of mapping,
converter, loop and memory once."""


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
    for name, (top, made) in DESIGNS.items():
        if said := lint(made(), top):
            sys.stderr.write(f"{name}:\n{said}")
            return 1
        print(f"{name}: no warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
