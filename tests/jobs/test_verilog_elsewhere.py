"""Verilog as `make verilog` writes it, with other people's tools, flags and testbenches.

A session identifies a chip and multiplies; what the chip is to answer is computed by the model.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Const

from environment.tools import ToolError, icarus, verilator
from hw.tools.fpga import YOSYS
from hw.tools.verilog import convert
from tests.support import memory_macros
from tests.support.components import COMPONENTS, FIELDS, make
from tests.support.configs import full_width, toml
from tests.support.verilog_session import PASSED, write

STANDARDS = "2005", "2005-sv", "2009", "2012"


def call(*command: object, folder: Path, **env: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with the chip as the job writes it, and a testbench."""
    folder = tmp_path_factory.mktemp("elsewhere")
    config = full_width(**FIELDS)
    fields = {name: config.value(name) for name in ("rows", "columns", "cell_bits", "slices")}
    fields |= {name: config.value(name) for name in ("input_bits", "dac_bits", "adc_bits")}
    (folder / "chip.toml").write_text(toml(fields | FIELDS))
    export(folder, "chip.v")
    write(folder, config, stall=1)
    return folder


def export(folder: Path, out: str, *options: str) -> Path:
    """Write a chip with the job, and return its path."""
    job = [sys.executable, "-m", "ohmulator", "verilog", "--config", "chip.toml", "--top", "chip"]
    root = str(Path(__file__).parents[2])
    call(*job, "--out", out, *options, folder=folder, PYTHONPATH=root)
    return folder / out


def under_icarus(folder: Path, standard: str, *files: str) -> str:
    try:
        program = icarus().program
    except ToolError as error:
        pytest.skip(str(error))
    out = f"{standard}.vvp"
    call(program, f"-g{standard}", "-s", "bench", "-o", out, "bench.v", *files, folder=folder)
    return call(program.with_name("vvp"), out, folder=folder)


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_session_under_icarus(folder, standard):
    assert under_icarus(folder, standard, "chip.v").splitlines() == [PASSED]


def test_a_session_where_nothing_has_an_initial_value(folder):
    """Registers that are not reset, memories, and words read while they are written, are X."""
    chip = export(folder, "asic.v", "--style", "asic", "--memories", "blackbox")
    verilog = chip.read_text()
    # Promises about cases are taken for more by synthesisers than by simulators.
    assert not re.search(r"full_case|parallel_case", verilog + (folder / "chip.v").read_text())
    assert not re.search(r"\binitial\b|^ *reg .*=", verilog, re.MULTILINE)
    chip.write_text(memory_macros.fill(verilog))
    assert under_icarus(folder, "2012", "asic.v").splitlines() == [PASSED]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="fpga"),
        pytest.param(("--style", "asic"), id="asic", marks=pytest.mark.slow),
    ],
)
def test_a_session_under_verilator_without_flags(folder, options):
    """Warnings are errors, unless the file itself says why they are of no interest."""
    export(folder, "verilator.v", *options)
    tool = verilator()
    run = [tool.program, "--binary", "--top-module", "bench", "-Mdir", "verilated"]
    env = dict(tool.env)
    if "VERILATOR_ROOT" in env:
        # Others were configured for their compiler, and know this flag.
        env["MAKEFLAGS"] += " CFG_CXXFLAGS_COROUTINES=-fcoroutines"
    call(*run, "bench.v", "verilator.v", folder=folder, **env)
    assert PASSED in call(folder / "verilated" / "Vbench", folder=folder).splitlines()


@pytest.mark.slow
def test_a_session_after_yosys(folder):
    passes = "read_verilog chip.v; hierarchy -top chip; proc; opt; memory; opt"
    script = f"{passes}; write_verilog out.v"
    # The Yosys that writes the Verilog cannot read any.
    call(sys.executable, "-c", YOSYS, "-q", "-p", script, folder=folder)
    assert under_icarus(folder, "2012", "out.v").splitlines() == [PASSED]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.__name__)
def test_every_component_converts(component):
    """Each stream has its ports, but for a ready that is constant."""
    made = make(component)
    header = re.search(r"^module dut\((.*?)\);", convert(made, "dut"), re.MULTILINE | re.DOTALL)
    assert header
    # Keywords of SystemVerilog stand behind a backslash.
    ports = {name.strip().lstrip("\\") for name in header[1].split(",")}
    members = {"__".join(map(str, path)): value for path, _, value in made.signature.flatten(made)}
    assert {name for name, value in members.items() if not isinstance(value, Const)} <= ports
    for name, value in members.items():
        assert isinstance(value, Const) == (name not in ports)
