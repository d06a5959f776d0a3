"""Finding the simulators: programs of any version, missing ones, and the real Verilator."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from environment.tools import ToolError, icarus, verilator

COUNTER = """
module top;
    integer i;
    initial begin
        for (i = 0; i < 3; i = i + 1) $display("count %0d", i);
        $finish;
    end
endmodule
"""
BUILDERS = {"c++": "g++", "make": "make", "perl": "perl"}
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that adds a program, which prints a text, to a PATH that has no other."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name: str, printed: str = "") -> Path:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{printed}'\n")
        program.chmod(0o755)
        return program

    return install


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide installed Python packages, as on a platform for which Verilator is not packaged."""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("site-packages")])


@pytest.mark.parametrize("missing", BUILDERS)
def test_verilator_without_a_builder(install: Install, missing: str) -> None:
    for name in BUILDERS:
        if name != missing:
            install(name)
    with pytest.raises(ToolError) as error:
        verilator()
    assert str(error.value) == (
        f"Verilator builds with '{missing}', which is not on PATH: "
        f"install it (Debian and Ubuntu: sudo apt-get install {BUILDERS[missing]})"
    )


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (None, "no 'verilator' on PATH: install 5.036 or newer"),
        ("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)", "5.006 .* is too old: install 5.036"),
        ("Verilator 4.228 2022-10-01", "4.228 .* is too old"),
        (" rev vUNKNOWN-built20260516", "does not print a version of Verilator"),
    ],
)
def test_system_verilator_refused(install: Install, printed: str | None, words: str) -> None:
    for name in BUILDERS:
        install(name)
    if printed is not None:
        install("verilator", printed)
    with pytest.raises(ToolError, match=words):
        verilator()


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize("version", ["5.036", "5.100", "6.000"])
def test_system_verilator_accepted(install: Install, version: str) -> None:
    for name in BUILDERS:
        install(name)
    program = install("verilator", f"Verilator {version} 2025-04-27 rev v{version}")
    found = verilator()
    assert (found.program, found.version) == (program, version)
    assert found.env == {"MAKEFLAGS": ""}


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (None, "no 'iverilog' on PATH: install 11.0 or newer"),
        ("Icarus Verilog version 10.3 (stable) ()", "10.3 .* is too old: install 11.0"),
        ("Icarus Verilog version 9.7  (v9_7)", "9.7 .* is too old"),
    ],
)
def test_icarus_refused(install: Install, printed: str | None, words: str) -> None:
    if printed is not None:
        install("iverilog", printed)
    with pytest.raises(ToolError, match=words):
        icarus()


@pytest.mark.parametrize("version", ["11.0", "12.0", "13.0"])
def test_icarus_accepted(install: Install, version: str) -> None:
    program = install("iverilog", f"Icarus Verilog version {version} (stable) ()")
    assert (icarus().program, icarus().version) == (program, version)


def test_packaged_verilator_in_a_path_with_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my chips" / "verilator"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(package.parent)
    with pytest.raises(ToolError, match="move the project to a path without spaces"):
        verilator()


@pytest.mark.parametrize(
    ("command", "printed", "words"),
    [
        (
            ["ohmulator", "sim", "--sim", "icarus"],
            "",
            "no 'iverilog' on PATH: install 11.0 or newer",
        ),
        (
            ["ohmulator", "sim", "--sim", "icarus"],
            "10.3 (stable) ()",
            "10.3 .* is too old: install 11.0",
        ),
        (["ohmulator", "run"], "", "builds with 'c\\+\\+', which is not on PATH: install it"),
    ],
)
def test_jobs_end_in_one_sentence_and_leave_nothing(
    tmp_path: Path, install: Install, command: list[str], printed: str, words: str
) -> None:
    if printed:
        install("iverilog", f"Icarus Verilog version {printed}")
    folder = tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", *command, "--json", "figures.json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(f"error: .*{words}.*\n", done.stderr)
    assert [*folder.iterdir()] == []


# Output in one file is joined by a Python script; split output has a precompiled header.
@pytest.mark.parametrize("split", ["0", "1"])
def test_verilator_builds_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    # What an outer `make OPT_FAST=...` hands on must not reach the build.
    monkeypatch.setenv("MAKEFLAGS", " -- OPT_FAST=--no-such-option")
    found = verilator()
    source = tmp_path / "top.v"
    source.write_text(COUNTER)
    options = ["--binary", "--build-jobs", "2", "--output-split", split, "-Mdir", str(tmp_path)]
    env = os.environ | found.env
    env["MAKEFLAGS"] += " OPT_FAST=-O0 OPT_GLOBAL=-O0"
    subprocess.run(
        [found.program, *options, source], env=env, check=True, capture_output=True, text=True
    )
    printed = subprocess.run([tmp_path / "Vtop"], check=True, capture_output=True, text=True).stdout
    assert printed.splitlines()[:3] == ["count 0", "count 1", "count 2"]
