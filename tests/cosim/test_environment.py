"""Variables in the environment of a user change neither builds nor simulations."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cocotb
import cocotb_tools
import pytest

from environment.variables import KEPT, kept, replaced
from hw.tools.verilog import generate
from sim.exchange import FOLDER_VARIABLE
from sim.runner import Build
from tests.support.configs import SMALL, chip, toml
from tests.support.tools import needs_icarus

PROJECT = Path(__file__).parents[2]
CONFIG = chip(rows=3, columns=2, adcs=1)

READ = re.compile(
    r"""(?:_env\.\w+|getenv|environ\.get|environ)[(\[]\s*f?["']([A-Z][A-Z0-9_]+)["']"""
)
"""How cocotb's sources name a variable that they read."""

GIVEN = {
    # From here and from the runner, for this simulation.
    *(FOLDER_VARIABLE, "PYTHONPATH", "PYGPI_PYTHON_BIN", "GPI_USERS", "TOPLEVEL_LANG"),
    *("COCOTB_TOPLEVEL", "COCOTB_TEST_MODULES", "COCOTB_RESULTS_FILE", "COCOTB_LOG_LEVEL"),
    "COCOTB_TRUST_INERTIAL_WRITES",
    # By environment.tools, for Verilator.
    *("VERILATOR_ROOT", "MAKEFLAGS"),
}


def read_by_cocotb() -> set[str]:
    """Return the names of variables that cocotb and its runner read."""
    folders = [Path(each.__path__[0]) for each in (cocotb, cocotb_tools)]
    texts = [path.read_text() for folder in folders for path in folder.rglob("*.py")]
    return {name for text in texts for name in READ.findall(text)}


OTHERS = """
    SIM CONFIG TRANSPOSED SEED OUT JSON COUNT TOPLEVEL MODULE OHMULATOR_RUN NOBODY_KNOWS_THIS
    COCOTB_LOG_LEVEL GPI_EXTRA GPI_USERS GPI_LOG_LEVEL LIBPYTHON_LOC PYGPI_PYTHON_BIN
    VERILATOR_ROOT VERILATOR_BIN VERILATOR_GDB VERILATOR_AUTHOR_SITE IVERILOG_VPI_MODULE_PATH
    MAKEFLAGS MFLAGS MAKEFILES MAKELEVEL GNUMAKEFLAGS OPT OPT_FAST OPT_GLOBAL OPT_SLOW VM_PREFIX
    CXX CXXFLAGS CPPFLAGS LDFLAGS CFLAGS LDLIBS OBJCACHE USER_CPPFLAGS PERL5OPT PERL5LIB
    AMARANTH_USE_YOSYS YOSYS
"""

OF_PYTHON = """
    PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONHASHSEED PYTHONWARNINGS PYTHONIOENCODING
    PYTHONOPTIMIZE PYTHONINSPECT PYTHONBREAKPOINT PYTHONPLATLIBDIR
"""

BAD = "/nowhere/abc"


def hostile(more: str = "") -> dict[str, str]:
    """Return every variable that a tool is known to read, with a value that none can use."""
    names = read_by_cocotb()
    assert {"COCOTB_TEST_FILTER", "COCOTB_RANDOM_SEED", "SIM_CMD_PREFIX", "WAVES", "GUI"} <= names
    return dict.fromkeys(
        (names | {*OTHERS.split(), *more.split()}) - KEPT - {"PYTEST_CURRENT_TEST"}, BAD
    )


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the environment of this process, which is then hostile."""
    before = dict(os.environ)
    for name, value in hostile(OF_PYTHON).items():
        monkeypatch.setenv(name, value)
    return before


@pytest.mark.parametrize("simulator", ["verilator", pytest.param("icarus", marks=needs_icarus)])
def test_builds_and_simulators_see_what_is_listed(original: dict[str, str], simulator: str) -> None:
    around = dict(os.environ)
    build = Build(CONFIG, "tile", simulator)
    shutil.rmtree(build.folder, ignore_errors=True)
    seen = build.run("tests.support.tb_environment", None)
    assert {name for name, value in seen.items() if BAD in value} == set()
    assert set(seen) - set(kept(seen)) <= GIVEN
    # Tools are put before and behind it; Python sets LC_CTYPE in a C locale.
    changed = dict.fromkeys(("PATH", "LC_CTYPE"), "")
    assert kept(seen) | changed == kept(original) | changed
    assert original["PATH"] in seen["PATH"]
    assert dict(os.environ) == around


def test_verilog_does_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = generate(CONFIG, "tile")
    for name, value in hostile(OF_PYTHON).items():
        monkeypatch.setenv(name, value)
    assert generate(CONFIG, "tile") == expected


def test_a_job_does_not_obey_the_environment(tmp_path: Path) -> None:
    # Python's own variables reach whoever starts Python; the Makefile removes them.
    config = tmp_path / "chip.toml"
    config.write_text(toml(SMALL | {"rows": 2, "columns": 2, "adcs": 1}))
    command = [sys.executable, "-m", "ohmulator", "sim", "--config", config, "--count", "2"]
    done = subprocess.run(
        [*command, "--out", tmp_path],
        cwd=PROJECT,
        env=os.environ | hostile(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MATCH" in done.stdout and "transposed" not in done.stdout


def test_the_environment_comes_back_when_the_last_user_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NOBODY_KNOWS_THIS", "1")
    before = dict(os.environ)
    first, second = replaced({"MAKEFLAGS": "a"}), replaced({"MAKEFLAGS": "b"})
    first.__enter__()
    second.__enter__()
    assert "NOBODY_KNOWS_THIS" not in os.environ and os.environ["MAKEFLAGS"] == "b"
    first.__exit__(None, None, None)
    assert "NOBODY_KNOWS_THIS" not in os.environ
    second.__exit__(None, None, None)
    assert dict(os.environ) == before
