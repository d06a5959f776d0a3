"""All command lines share options, errors in one sentence, streams, the exit status."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ohmulator import cli
from ohmulator.__main__ import main
from ohmulator.jobs import JOBS
from spec.errors import UserError

PROJECT = Path(__file__).parents[2]


def raising(error):
    @cli.job
    def main(argv):
        raise error

    return main


@pytest.mark.parametrize("status", [0, 1, 3])
def test_the_status_is_what_the_work_returns(status):
    assert cli.job(lambda argv: status)([]) == status


def test_arguments_are_those_of_the_process_unless_given(monkeypatch):
    seen = []

    @cli.job
    def main(argv):
        seen.append(list(argv))
        return 0

    monkeypatch.setattr(sys, "argv", ["program", "a"])
    main()
    main(["b"])
    assert seen == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("rows must be 1, not 0"), 2, "error: rows must be 1, not 0"),
        (UserError("out/a\nb\x1b\udcff"), 2, r"error: out/a\nb\x1b\udcff"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "/a/b"), 2, "error: /a/b: Permission denied"),
        (OSError(28, "No space left on device"), 2, "error: No space left on device"),
        (OSError("odd"), 2, "error: odd"),
        (MemoryError(), 2, "error: there is not enough memory: take a smaller configuration"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(capsys, error, status, sentence):
    assert raising(error)([]) == status
    assert capsys.readouterr() == ("", f"{sentence}\n")


def test_defects_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())([])


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_lists_the_jobs(capsys, arguments):
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert all(f"  {job:<8}  {about}\n" in said for job, about in JOBS.items())


@pytest.mark.parametrize("job", JOBS)
def test_help_of_each_job_comes_before_anything_heavy(job):
    heavy = ("numpy", "scipy", "sklearn", "matplotlib", "amaranth", "cocotb", "rich", "sphinx")
    code = (
        "import sys; from ohmulator.__main__ import main; status = main(sys.argv[1:]);"
        f"print(status, sorted(set(sys.modules) & set({heavy})))"
    )
    command = [sys.executable, "-c", code, job, "--help"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: ohmulator {job} [-h]") and not done.stderr
    assert done.stdout.splitlines()[-1] == "0 []"


def test_help_takes_a_fraction_of_a_second():
    seconds = []
    for _ in range(3):
        before = os.times()
        command = [sys.executable, "-m", "ohmulator", "run", "--help"]
        subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
        after = os.times()
        # Of the processor: a busy machine makes nothing slow but the clock.
        spent = after.children_user + after.children_system
        seconds.append(spent - before.children_user - before.children_system)
    assert min(seconds) < 0.3


@pytest.mark.parametrize("name", ["spec", "golden", "hw", "sim"])
def test_a_package_of_the_same_name_is_named(tmp_path, name):
    (tmp_path / f"{name}.py").touch()
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "ohmulator", "run"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    why = f"but '{name}' is imported from {tmp_path}/{name}.py: rename that\n"
    assert done.stderr == f"error: ohmulator runs from its checkout, {PROJECT}, {why}"


def test_integers_are_checked_alike(capsys):
    assert cli.integer("seed", "7", *cli.SEED_RANGE) == 7
    for text in ("-1", "4294967296", "1.0", "x", "", "9" * 5000):
        with pytest.raises(UserError, match=r"^seed must be an integer of 0 to 4294967295, not "):
            cli.integer("seed", text, *cli.SEED_RANGE)


@pytest.fixture
def said(monkeypatch, encoding) -> Callable[[str], bytes]:
    """Return a function that gives the bytes that leave where a job says a text."""

    def say(text: str) -> bytes:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline="\n"))

        @cli.job
        def main(argv):
            cli.say(text)
            return 0

        assert main([]) == 0
        return raw.getvalue()

    return say


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_text_leaves_in_any_encoding(said, encoding):
    text = "µσ ".encode(encoding, errors="backslashreplace")
    assert said("µσ \udcff") == text + b"\xff\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be"])
def test_bytes_of_a_path_leave_as_escapes_where_characters_are_wider(said, encoding):
    assert said("µ \udcff") == "µ \\udcff\n".encode(encoding)


def piped(code: str, reader: str) -> tuple[int, str]:
    """Run Python whose standard output a shell command reads; return status and errors."""
    command = f'"$0" -c "$1" | {reader}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("printing", ["cli.say('x')", "screen.table('x', [[('a', 'b')]])"])
def test_a_reader_that_leaves_ends_no_job(printing):
    code = (
        "import sys; from ohmulator import cli; from ohmulator.jobs.screen import Screen\n"
        "def work(argv):\n"
        "    screen = Screen()\n"
        f"    for _ in range(3000): {printing}\n"
        "    return 5\n"
        "sys.exit(cli.job(work)([]))"
    )
    assert piped(code, "true") == (5, "")
    assert piped(code, "head -1 >/dev/null") == (5, "")


def test_a_full_standard_output_is_an_error():
    for job in (["spice", "--help"], ["assemble", "/dev/null"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "ohmulator", *job],
                cwd=PROJECT,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        sentence = "error: standard output cannot be written: No space left on device\n"
        assert (done.returncode, done.stderr) == (2, sentence)
