"""Bad inputs of all jobs end in one sentence and status 2; nothing is written, no work done."""

import importlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.no_work import no_work
from tests.support.refusals import Bad, bad_inputs, make_world

PROJECT = Path(__file__).parents[2]
BAD = list(bad_inputs())

Refuse = Callable[[Bad], str]


@pytest.fixture(scope="module")
def world() -> Iterator[Path]:
    """Return a folder with files that the inputs name; no test changes it."""
    with tempfile.TemporaryDirectory() as name:
        make_world(Path(name))
        yield Path(name)


def tree(folder: Path) -> list[tuple[object, ...]]:
    """Return all that can be seen of a folder and what is in it."""
    found = []
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(root, name))
            found.append((root, name, status.st_ino, status.st_size, status.st_mtime_ns))
    return sorted(found)


@pytest.fixture
def refuse(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refuse:
    """Return a function that has a job refuse arguments, and returns its sentence."""
    monkeypatch.chdir(world)

    def refuse(bad: Bad) -> str:
        main = importlib.import_module(f"ohmulator.jobs.{bad.job}").main
        before = tree(world)
        with no_work(reading=bad.numbers):
            status = main(bad.arguments)
        said = capsys.readouterr()
        assert (status, said.out) == (2, "")
        assert tree(world) == before
        assert re.fullmatch(r"error: [^\n]{10,700}\n", said.err), said.err
        return said.err.strip()

    return refuse


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_bad_input_is_refused_in_a_sentence(refuse: Refuse, bad: Bad) -> None:
    assert re.search(bad.sentence, refuse(bad))


def test_there_are_bad_inputs_of_every_job():
    assert len(BAD) >= 250
    assert len({bad.job for bad in BAD}) == 11
    assert min(sum(bad.job == job for bad in BAD) for job in {bad.job for bad in BAD}) >= 10


THROUGH_MAKE = [
    ("run", ["CONFIG=nothing"], "configuration 'nothing' is neither a preset"),
    ("run", ["JSON={}/full"], "full cannot be written: it is a folder"),
    ("run", ["OUT={}/[/b]/$a_{{b$", "JSON={}/[/b]/$a_{{b$/digits.png"], r"\[/b\]/\$a_{b\$/digits"),
    ("program", ["OUT={}/file"], "file/.* cannot be written: .*/file is not a folder"),
    ("program", ["CONFIG={}/small.toml"], "digits need a tile of at least 64 rows"),
    ("sim", ["SIM=tiel"], "sim must be one of verilator, icarus, not 'tiel'"),
    ("sim", ["SEED=-1"], "seed must be an integer of 0 to 4294967295, not '?-1"),
    ("sim", ["TB=[/b]"], r"tb must be one of tile, not '\[/b\]'"),
    ("physics", ["CONFIG={}/$a_{{b$.toml"], r"\$a_{b\$.toml cannot be read: No such file"),
    ("physics", ["OUT={}/new", "JSON={}/new"], "would hold the figures, but must be a folder"),
    ("sweep", ["COUNT=1"], r"count must be an integer of 2 to 100 \(chips\), not 1"),
    ("sweep", ["OUT={}/loop"], "loop/sweep.png cannot be written: Too many levels of symbolic"),
    ("spice", ["DRIVE=a b"], "drive must be integers between commas, not 'a b'"),
    ("spice", ["CONFIG={}/good.toml", "OUT={}/hard.toml"], "is the configuration, which is read"),
    ("verilog", ["TOP='"], """top must be one of .*, not "'\""""),
    ("verilog", ["CONFIG={}/good.toml", "OUT={}/good.toml"], "is the configuration, which is read"),
    ("solve", ["A={}/tall.npy"], "the matrix of 4 x 2 is not square: ask for least squares"),
    ("area", ["CONFIG={}/huge.toml"], "not an integer of 20000 bits"),
]


@pytest.mark.parametrize(("target", "variables", "sentence"), THROUGH_MAKE)
def test_make_refuses_in_the_same_sentence(
    world: Path, target: str, variables: list[str], sentence: str
) -> None:
    before = tree(world)
    env = {name: value for name, value in os.environ.items() if not name.startswith("M")}
    given = [each.format(world) for each in variables]
    # The environment of the tests is complete: no set-up on the way.
    stamps = [f"--old-file=.venv/{purpose}.stamp" for purpose in ("run", "area")]
    command = ["make", *stamps, target, *given]
    done = subprocess.run(
        command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    error, of_make = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert error.startswith("error: ") and re.search(sentence, error)
    assert of_make.startswith("make: *** [") and of_make.endswith(" Error 2")
    assert tree(world) == before
