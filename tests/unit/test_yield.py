"""The example of many chips: worse chips settle less often and answer worse."""

import importlib.util
import re
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "examples" / "yield" / "chips.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("chips", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(example, capsys, out: Path, *more: str) -> tuple[int, float, list[float]]:
    """Return how many chips settle, the median error, and errors by the sampling time."""
    argv = ["--size", "6", "--chips", "12", "--out", str(out), *more]
    assert example.main(argv) == 0
    said = capsys.readouterr().out
    settled = int(re.search(r"^(\d+) of 12 chips settle", said)[1])
    median = re.search(r"([\d.e+-]+) \(50%\)", said)
    times = [float(error) for error in re.findall(r"ns: relative error ([\d.e+-]+)", said)]
    return settled, float(median[1]) if median else float("nan"), times


def test_errors_grow_with_those_of_cells_and_offsets(example, tmp_path, capsys):
    out = tmp_path / "new" / "yield.png"
    good = run(example, capsys, out, "--program-error", "0", "--offset-v", "0")
    bad = run(example, capsys, out, "--program-error", "0.5", "--offset-v", "5e-3")
    assert good[0] == 12 and good[1] < 0.1 and bad[1] > 2 * good[1]
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_sample_that_comes_too_early_is_off(example, tmp_path, capsys):
    quiet = ["--program-error", "0", "--offset-v", "0", "--gain-bandwidth-hz", "1e6"]
    _, _, times = run(example, capsys, tmp_path / "x.png", *quiet)
    assert times[0] > 10 * times[-1] and times[0] > 0.5


@pytest.mark.parametrize("option", [["--size", "0"], ["--chips", "0"], ["--node-spread", "-1"]])
def test_options_out_of_range_are_refused(example, tmp_path, capsys, option):
    with pytest.raises(SystemExit) as caught:
        example.main(option)
    assert caught.value.code == 2
    name = option[0].strip("-").replace("-", "_")
    assert f"{name} must be" in capsys.readouterr().err


def test_physics_out_of_range_are_refused_in_a_sentence(example, tmp_path, capsys):
    assert example.main(["--program-error", "-1", "--out", str(tmp_path / "x.png")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: loop_program_error must be a number of 0 to ")
    assert not (tmp_path / "x.png").exists()
