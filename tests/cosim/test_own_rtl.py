"""A design that is not ours: the example is right, and what is wrong in a copy of it is told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from environment.tools import ToolError, icarus

PROJECT = Path(__file__).parents[2]


def run(folder: Path, simulator: str, changes: dict[str, tuple[str, str]]) -> tuple[int, str]:
    """Run a copy of the example with changes, by file: old text and new."""
    copy = folder / "own_rtl"
    shutil.copytree(PROJECT / "examples" / "own_rtl", copy)
    for name, (old, new) in changes.items():
        text = (copy / name).read_text()
        assert text.count(old) == 1
        (copy / name).write_text(text.replace(old, new))
    done = subprocess.run(
        [sys.executable, copy / "run.py", simulator],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def under_icarus(folder: Path, name: str, old: str, new: str) -> str:
    """Return what a changed example prints, which must fail."""
    try:
        icarus()
    except ToolError as error:
        pytest.skip(str(error))
    status, printed = run(folder, "icarus", {name: (old, new)})
    assert status == 1
    return printed


def test_codes_of_the_example_are_those_of_the_model(tmp_path):
    status, printed = run(tmp_path, "verilator", {})
    assert status == 0, printed
    assert "PASS=1 FAIL=0" in printed


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("cmp[1] ? sar1 : low1", "cmp[1] ? low1 : sar1", "code of ADC 1 in group 0 is "),
        ("channel <= 1'b1;", "channel <= 1'b0;", "SimTimeoutError"),
        ("start_n && ready", "start_n", "sample comes before the array has settled"),
        ("dac[i] <= x[i];", "dac[i] <= 2'bx;", "code is not defined: "),
        ("SAMPLE: begin\n", "SAMPLE: begin dac[0] <= ~dac[0];\n", "without a strobe"),
        ("done <= 1'b1;", "done <= channel;", "200 conversions were compared, not 400"),
    ],
)
def test_a_wrong_design_is_told(tmp_path, old, new, sentence):
    assert sentence in under_icarus(tmp_path, "sar_tile.sv", old, new)


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ('"sample": "hold",', "", "the table of signals does not fit: it lacks sample"),
        ('"sample": "hold",', '"smaple": "hold",', "it lacks sample; smaple is no member of"),
        ('"ready"', '"redy"', "the design has no signal redy (for settled)"),
        ("range(4)", "range(5)", "the design has no signal dac[4] (for code)"),
        ('["sar0", "sar1"]', '["sar0"]', "trial has 10 bits, but sar0 5"),
        ('"mode": 1', '"mode": 9', "mode must be 0 to 7, not 9"),
        ('"mode": 1', '"mode": 4', "strobe comes with mode 4, which makes no product"),
        ('"above": "cmp"', '"above": 3', "above needs a signal, or None if nobody listens"),
        ('"cell": 0', '"cell": None', "cell needs a signal, or a number"),
        ('"codes_valid": "done",', "", "codes needs codes and codes_valid"),
    ],
)
def test_a_table_that_does_not_fit_is_told(tmp_path, old, new, sentence):
    assert sentence in under_icarus(tmp_path, "bench.py", old, new)


def test_what_cannot_be_simulated_is_refused_in_a_sentence(tmp_path):
    status, printed = run(tmp_path, "modelsim", {})
    assert status == 2
    assert printed == "error: give one of verilator, icarus, not modelsim\n"
