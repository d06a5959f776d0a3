"""A tool that fails or is killed ends in a sentence that names a log, and leaves nothing behind."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from golden.tile.analog import Analog
from sim import build_steps, runner
from sim.failure import BrokenRuleError, SimulationError
from sim.job import TileJob
from sim.runner import Build
from spec.errors import UserError
from tests.support.configs import chip
from tests.support.fake_tools import ENDS, fake
from tests.support.tb_failing import WAYS
from tests.support.tools import needs_icarus

PROJECT = Path(__file__).parents[2]
CONFIG = chip(rows=2, columns=2, slices=1, adcs=1)
pytestmark = needs_icarus


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, in which builds go."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return a build that exists."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("shared"))
        build = Build(CONFIG, "tile", "icarus")
        build.make()
    return build


def works(build: Build) -> bool:
    """Tell whether a build can be made and used."""
    weights = np.ones((2, 2), np.int64)
    steps = np.zeros(CONFIG.steps, np.int64)
    outcome = build.run("sim.tb_tile", TileJob(Analog.ideal(CONFIG, weights), weights, steps))
    return not outcome.mismatch


def log_of(error: SimulationError) -> str:
    """Return what stands in the log that a sentence names."""
    sentence = str(error)
    assert "\n" not in sentence and len(sentence) < 400
    found = re.fullmatch(r"[^;]+; the log is (\S+)", sentence)
    assert found, sentence
    return Path(found[1]).read_text()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("simulator", "tool"),
    [("icarus", "iverilog"), ("verilator", "perl"), ("verilator", "make")],
)
def test_a_build_that_fails(simulator, tool, end, workplace, tmp_path, monkeypatch):
    if end == "hangs":
        monkeypatch.setattr(build_steps, "PATIENCE_S", 1.0)
    with monkeypatch.context() as patch:
        # The library of Verilator is built, or not, by the same tools.
        fake(tmp_path / "tools", patch, **{tool: ENDS[end]})
        build = Build(CONFIG, "tile", simulator)
        with pytest.raises(SimulationError) as error:
            build.make()
    assert error.value.status == 3
    log = log_of(error.value)
    assert ("no such thing" in log) == (end == "fails")
    assert ("killed, as by a system that runs out of memory" in str(error.value)) == (
        "killed" in end
    )
    assert ("not built within 1 s" in str(error.value)) == (end == "hangs")
    left = [path for path in (workplace / "build" / simulator).iterdir() if path.is_dir()]
    assert left == []
    if simulator == "icarus":
        assert works(Build(CONFIG, "tile", simulator))


def test_a_tool_that_cannot_be_started(tmp_path, monkeypatch):
    fake(tmp_path / "tools", monkeypatch, iverilog="")
    build = Build(CONFIG, "tile", "icarus")
    (tmp_path / "tools" / "iverilog").chmod(0o644)
    with pytest.raises(SimulationError, match=r"could not be built: .*iverilog: Permission denied"):
        build.make()


def test_a_full_disk_leaves_no_build(workplace, monkeypatch):
    def fill(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    build = Build(CONFIG, "tile", "icarus")
    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_steps", fill)
        with pytest.raises(UserError, match=r"^\S+ cannot be written: No space left on device$"):
            build.make()
    assert not build.folder.exists()
    assert works(build)


@pytest.mark.parametrize("size", [0, 1 << 10, 1 << 14, 1 << 17])
def test_a_limit_on_files_at_any_moment(size, workplace):
    """Compiler, simulator and job all meet it, depending on the size."""
    command = [sys.executable, "-m", "ohmulator", "sim", "--sim", "icarus", "--count", "2"]
    command += ["--config", "pku2025"]
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
    start = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", limit + start, *command],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (2, 3), done.stderr
    assert re.fullmatch(r"error: [^\n]+\n", done.stderr)
    assert "MATCH" not in done.stdout
    assert not list(workplace.glob("out/*/*"))


def test_two_that_want_the_same_build_make_it_once(tmp_path, workplace, monkeypatch):
    fake(tmp_path / "tools", monkeypatch, iverilog='echo "$@" >> $0.calls; exec "$REAL" "$@"')
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n" + (
        "from sim.runner import Build\n"
        "from tests.support.configs import chip\n"
        "Build(chip(rows=2, columns=2, slices=1, adcs=1), 'tile', 'icarus').make()\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    calls = (tmp_path / "tools" / "iverilog.calls").read_text().splitlines()
    assert len(calls) == 1


def test_a_builder_that_is_killed_leaves_neither_build_nor_lock(tmp_path, workplace, monkeypatch):
    with monkeypatch.context() as patch:
        fake(
            tmp_path / "tools",
            patch,
            iverilog="echo half > sim.vvp; sleep 1000",
        )
        program = f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n" + (
            "from sim.runner import Build\n"
            "from tests.support.configs import chip\n"
            "Build(chip(rows=2, columns=2, slices=1, adcs=1), 'tile', 'icarus').make()\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program])
        while not list(workplace.glob("build/icarus/*/sim.vvp")):
            time.sleep(0.05)
        process.kill()
        process.wait()
    build = Build(CONFIG, "tile", "icarus")
    assert not build.folder.exists()
    assert works(build)
    assert [path for path in build.folder.parent.iterdir() if path.is_dir()] == [build.folder]


REASONS = {
    "killed": "it was killed, as by a system that runs out of memory",
    "crashed": "it died of SIGSEGV",
    "exit": "it ended with exit status 4",
    "memory": "MemoryError: Unable to allocate 9 PiB",
    "full disk": r"OSError: \[Errno 28\] No space left on device",
    "error": "ValueError: first line",
    "unwritable outcome": r"\w+: .*pickle .*",
    "hang": "it stood still for 3 s",
}


@pytest.mark.parametrize("way", [way for way in WAYS if way != "assertion"])
def test_a_simulation_that_fails(way, shared, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE_S", 3.0 if way == "hang" else 60.0)
    with pytest.raises(SimulationError) as error:
        shared.run("tests.support.tb_failing", way)
    assert error.value.status == 3
    log_of(error.value)
    reason = REASONS.get(way, "it left no outcome that can be read")
    assert re.match(f"the simulation of tile in icarus failed: {reason};", str(error.value))
    # Nothing else is left of the run.
    assert list(Path("build/runs").iterdir()) == []


def test_a_broken_rule_is_a_verdict(shared):
    with pytest.raises(
        BrokenRuleError, match=r"tile breaks a rule of .*: valid fell; the log"
    ) as e:
        shared.run("tests.support.tb_failing", "assertion")
    assert e.value.status == 1
    assert "valid fell" in log_of(e.value)


def test_a_testbench_that_does_not_exist(shared):
    with pytest.raises(SimulationError) as error:
        shared.run("tests.support.tb_nowhere", None)
    assert "tb_nowhere" in log_of(error.value)


def test_results_that_are_cut_short(tmp_path):
    whole = '<testsuites><testsuite><testcase><failure message="m" type="T"/></testcase>'
    path = tmp_path / "results.xml"
    assert runner._reason(path) == ("", "")
    for end in range(len(whole)):
        path.write_text(whole[:end])
        assert runner._reason(path) == ("", "")
    path.write_text(f"{whole}</testsuite></testsuites>")
    assert runner._reason(path) == ("T", "m")


def test_a_build_without_its_simulator(shared, tmp_path, monkeypatch):
    build = Build(CONFIG, "tile", "icarus")
    build.make()
    (build.folder / "sim.vvp").unlink()
    with pytest.raises(SimulationError) as error:
        build.run("sim.tb_tile", None)
    log_of(error.value)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_simulator_outlives_who_started_it(end, tmp_path, shared, workplace):
    note = tmp_path / "pid"
    program = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "from pathlib import Path\n"
        "from sim.runner import Build\n"
        "from tests.support.configs import chip\n"
        "build = Build(chip(rows=2, columns=2, slices=1, adcs=1), 'tile', 'icarus')\n"
        f"build.run('tests.support.tb_failing', Path({str(note)!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    process.send_signal(end)
    assert process.wait() != 0
    for _ in range(600):
        if not alive(int(note.read_text())):
            return
        time.sleep(0.05)
    raise AssertionError("the simulator goes on")


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended may wait to be noticed."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("tool", "line", "status"),
    [
        ("vvp", "kill -KILL $$", 3),
        ("vvp", "exit 1", 3),
        ("iverilog", "kill -KILL $$", 3),
    ],
)
def test_a_job_without_a_verdict_has_an_exit_status_of_its_own(
    tool, line, status, tmp_path, workplace, monkeypatch
):
    # Simulators are looked for beside their compilers.
    whole = {"iverilog": 'exec "$REAL" "$@"', "vvp": 'exec "$REAL" "$@"'} | {tool: line}
    fake(tmp_path / "tools", monkeypatch, **whole)
    done = subprocess.run(
        [sys.executable, "-m", "ohmulator", "sim", "--sim", "icarus", "--count", "1"],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    found = re.fullmatch(r"error: [^\n]+; the log is (\S+)\n", done.stderr)
    assert found and (workplace / found[1]).exists()
    assert not list(workplace.glob("out/*/*"))
