"""The Makefile and its set-up, with a Python that installs in name only."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

VALUES = (
    *("a$b{c", "$(shell touch pwned)", "${HOME}", "$$x", "$", "`touch pwned`", "; touch pwned"),
    *("it's", 'say "it"', "a  b ", "[/b] [red]", "#x", "a\\b\\", "*", "~", "%", "x,y", "a=b"),
    *("µ", "-1", "--help", "(", ")", "a\nb", "'", "!", "&& false"),
)
"""Values of which neither make nor the shell may touch a character."""


@dataclass(frozen=True)
class Checkout:
    """A checkout that was never set up, with what its make hands to a Python in `notes`."""

    folder: Path
    notes: Path

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start make with arguments and environment variables, in a process group of its own."""
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        env["PATH"] = f"{self.folder.parent / 'programs'}{os.pathsep}{env['PATH']}"
        env |= {"NOTES": str(self.notes), "REAL_PYTHON": sys.executable} | variables
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["make", *words],
            cwd=self.folder,
            env=env,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )

    def make(self, *words: str, status: int = 0, **variables: str) -> str:
        """Run make to its end and return its standard error."""
        process = self.start(*words, **variables)
        _, error = process.communicate(timeout=60)
        assert process.returncode == status, error
        return error

    def log(self) -> list[str]:
        """Return what Python was asked to do, and forget it."""
        path = self.notes / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def options(self) -> list[str]:
        """Return the options of the last job."""
        arguments = (self.notes / "arguments").read_text().split("\0")[:-1]
        return [each for each in arguments if each.startswith("--")]

    def variables(self, of: str) -> dict[str, str]:
        """Return the environment of the last job, or of pip."""
        lines = (self.notes / of).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    (folder / "environment").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "environment/setup.sh"):
        shutil.copy(PROJECT / name, folder / name)
    shutil.copytree(PROJECT / "environment" / "locks", folder / "environment" / "locks")
    for program in ("python3.11", "python3.12", "python3.13"):
        path = tmp_path / "programs" / program
        path.parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / "tests" / "support" / "fake_python.sh", path)
        path.chmod(0o755)
    # Set-up must not install anything here.
    for program, text in {"c++": "", "perl": "", "apt-get": "exit 1", "sudo": "exit 1"}.items():
        path.with_name(program).write_text(f"#!/bin/sh\n{text}\n")
        path.with_name(program).chmod(0o755)
    (tmp_path / "notes").mkdir()
    return Checkout(folder, tmp_path / "notes")


def variables_of_jobs() -> dict[str, list[str]]:
    """Return the variables that `make help` names for each job, flags with their value."""
    text = (PROJECT / "Makefile").read_text()
    found = dict(re.findall(r"^([a-z]+): \S*\.stamp ## .*\[(.*)\]$", text, re.MULTILINE))
    named = {job: re.findall(r"[A-Z]+=1?", words) for job, words in found.items()}
    return named | {job: named["run"] for job, words in found.items() if words == "as run"}


JOBS = variables_of_jobs()


def test_help_names_all_targets_in_a_column(checkout: Checkout) -> None:
    process = checkout.start()
    lines = process.communicate()[0].splitlines()[1:]
    text = (PROJECT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert sorted(line.split()[0] for line in lines) == sorted({*targets} - {"help", "always"})
    assert len({re.match(r"  \S+ +", line).end() for line in lines}) == 1  # type: ignore[union-attr]
    assert checkout.log() == []


@pytest.mark.parametrize("job", JOBS)
def test_values_pass_unharmed_to_the_job(checkout: Checkout, job: str) -> None:
    names = [name for name in JOBS[job] if not name.endswith("=1")]
    flags = [name for name in JOBS[job] if name.endswith("=1")]
    assert names
    for i, value in enumerate(VALUES):
        given = [f"{name}{VALUES[i - j]}" for j, name in enumerate(names)]
        checkout.make(job, *given)
        expected = [f"--{name.lower()}={value}" for name, value in (x.split("=", 1) for x in given)]
        assert sorted(checkout.options()) == sorted(expected)
    checkout.make(job, *flags)
    assert checkout.options() == [f"--{flag[:-2].lower()}" for flag in flags]
    checkout.make(job, *(f"{flag[:-1]}0" for flag in flags))
    assert checkout.options() == []
    assert not list(checkout.folder.rglob("pwned"))


def test_the_environment_gives_no_values(checkout: Checkout) -> None:
    variables = {name.rstrip("=1"): "1" for names in JOBS.values() for name in names}
    variables |= {"PYTHON": "$(shell touch pwned)", "PYTHONPATH": "/nowhere", "PYTHONHOME": "/no"}
    variables |= {"PYTHONHASHSEED": "abc", "python": "false", "job": "false"}
    elsewhere = checkout.folder.parent / "elsewhere"
    shutil.copytree(checkout.folder, elsewhere)
    variables["CDPATH"] = str(elsewhere)
    for job in JOBS:
        checkout.make(job, **variables)
        assert checkout.options() == []
        assert not [each for each in checkout.variables("environment") if "PYTHON" in each[:6]]
    assert not list(checkout.folder.rglob("pwned")) and not (elsewhere / ".venv").exists()


def test_values_are_not_handed_on_through_the_environment(checkout: Checkout) -> None:
    checkout.make("sim", "SEED=1", "WAVES=1", "OUT=$(shell touch pwned)", "PYTHON=python3.12")
    names = {"SEED", "WAVES", "OUT", "PYTHON", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"}
    assert not names & set(checkout.variables("environment"))
    assert not list(checkout.folder.rglob("pwned"))


@pytest.mark.parametrize("value", VALUES)
def test_a_python_that_is_none_is_refused(checkout: Checkout, value: str) -> None:
    error = checkout.make("verilog", f"PYTHON={value}", status=2)
    said = [line for line in error.splitlines() if not line.startswith("make: ")]
    assert "\n".join(said).startswith("Set-up stopped: Python 3.11, 3.12 or 3.13 is needed, but ")
    assert value in error
    assert not (checkout.folder / ".venv").exists()
    assert not list(checkout.folder.rglob("pwned"))


def test_a_python_may_be_named_by_any_path(checkout: Checkout) -> None:
    program = checkout.folder.parent / "it's my $HOME" / "python"
    program.parent.mkdir()
    shutil.copy(checkout.folder.parent / "programs" / "python3.12", program)
    for _ in range(2):
        checkout.make("verilog", f"PYTHON={program}")
    assert (checkout.folder / ".venv" / "run.stamp").read_text() == f"{program}\n"
    assert checkout.log().count("venv .venv") == 1


def test_set_up_is_done_once(checkout: Checkout) -> None:
    locked = f"environment/locks/python{sys.version_info[0]}.{sys.version_info[1]}.txt"
    pip = [f"pip begins with {locked}", "pip ends"]
    job = ["job ohmulator verilog"]
    checkout.make("verilog")
    assert checkout.log() == ["venv .venv", *pip, *job]
    checkout.make("verilog")
    assert checkout.log() == job
    checkout.make("verilog", "PYTHON=python3.13")
    assert checkout.log() == job
    checkout.make("verilog", "PYTHON=python3.12")
    assert checkout.log() == ["venv .venv", *pip, *job]
    for name in (locked, "pyproject.toml", "environment/setup.sh"):
        later = time.time() + 1
        os.utime(checkout.folder / name, (later, later))
        time.sleep(1.1)
        checkout.make("verilog")
        assert checkout.log() == [*pip, *job], name
    (checkout.folder / ".venv" / "bin" / "python").unlink()
    checkout.make("verilog")
    assert checkout.log() == ["venv .venv", *pip, *job]


def test_pip_obeys_what_says_where_packages_are_alone(checkout: Checkout) -> None:
    checkout.make("verilog", PIP_TARGET="/t", PIP_INDEX_URL="/i", PIP_CONSTRAINT="/c", PIP_USER="1")
    seen = checkout.variables("pip")
    assert {name for name in seen if name.startswith("PIP_")} == {
        "PIP_INDEX_URL",
        "PIP_CONSTRAINT",
        "PIP_BUILD_CONSTRAINT",
    }
    assert seen["PIP_CONSTRAINT"] == seen["PIP_BUILD_CONSTRAINT"] != "/c"


def wait_for(path: Path, words: str) -> None:
    """Wait until a file holds some words."""
    for _ in range(600):
        if path.exists() and words in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never held {words!r}")


def test_a_second_command_waits_for_the_set_up_of_the_first(checkout: Checkout) -> None:
    first = checkout.start("spice", SECONDS_OF_PIP="2")
    wait_for(checkout.notes / "log", "pip begins")
    error = checkout.make("verilog")
    first.communicate(timeout=10)
    assert first.returncode == 0
    assert "Waiting for another set-up to end" in error
    log = checkout.log()
    assert [line.split()[0] for line in log] == ["venv", "pip", "pip", "job", "job"]


def test_a_set_up_that_was_killed_holds_up_nobody(checkout: Checkout) -> None:
    first = checkout.start("spice", SECONDS_OF_PIP="60")
    wait_for(checkout.notes / "log", "pip begins")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=10)
    checkout.log()
    error = checkout.make("verilog")
    assert "Waiting" not in error
    # Half-made, so made again.
    assert [line.split()[0] for line in checkout.log()] == ["venv", "pip", "pip", "job"]
