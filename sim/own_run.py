"""Compile a design that is not ours, and run a cocotb testbench on it; see `sim.own_rtl`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from environment.files import BUILDS
from environment.tools import SIMULATORS
from environment.variables import replaced
from spec.errors import UserError, require

CHECKOUT = Path(__file__).resolve().parents[1]


def simulate(sources: Sequence[Path], top: str, bench: Path, argv: Sequence[str]) -> int:
    """Run the tests of a file `bench` on a top level; return 0, 1 if one fails, or 2.

    Parameters
    ----------
    sources
        Files of Verilog or SystemVerilog.
    argv
        Name of a simulator, `verilator` if there is none.
    """
    try:
        return _simulate(sources, top, bench, argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _simulate(sources: Sequence[Path], top: str, bench: Path, argv: Sequence[str]) -> int:
    name = argv[0] if argv else "verilator"
    known = ", ".join(SIMULATORS)
    require(len(argv) < 2 and name in SIMULATORS, f"give one of {known}, not {' '.join(argv)}")
    tool = SIMULATORS[name]()
    folder = (BUILDS / "own" / f"{top}-{name}").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}") from None
    path = os.pathsep.join([str(CHECKOUT), str(bench.parent)])
    with replaced(tool.env):
        runner = get_runner(name)
        arguments = ["--no-timing", "-Wno-fatal"] if name == "verilator" else ["-g2012"]
        try:
            runner.build(
                sources=list(sources),
                hdl_toplevel=top,
                build_dir=folder,
                build_args=arguments,
                always=True,
                timescale=("1ns", "1ps"),
                log_file=folder.with_suffix(".log"),
            )
        except RuntimeError as error:
            why = f"{top} cannot be compiled ({error}): see {folder.with_suffix('.log')}"
            raise UserError(why) from None
        try:
            results = runner.test(
                hdl_toplevel=top,
                test_module=bench.stem,
                build_dir=folder,
                test_dir=folder,
                extra_env={"PYTHONPATH": path},
            )
        except RuntimeError as error:
            raise UserError(f"{name} did not run {top} to its end ({error})") from None
    tests, failures = get_results(results)
    return int(failures > 0 or not tests)
