"""The example of MIMO detection: its bit error rates are those of float64, its errors sentences."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from ohmulator import Solver
from tests.support.systems import definite, skewed

PATH = Path(__file__).parents[2] / "examples" / "mimo" / "detect.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("detect", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rates(text: str) -> list[float]:
    """Return the bit error rates of a row: of float64, after each iteration, solved."""
    row = re.search(r"^ +\d+ (.*)$", text, re.MULTILINE)
    return [float(rate) for rate in row[1].split()]


@pytest.mark.parametrize(
    "more",
    [
        ["--antennas", "128", "--users", "8", "--snr", "10", "--iterations", "4"],
        ["--snr", "15", "--mmse"],
    ],
    ids=["zero forcing", "MMSE"],
)
def test_rates_become_those_of_float64(example, tmp_path, capsys, more):
    out = tmp_path / "new" / "rates.png"
    argv = ["--blocks", "2", "--vectors", "150", "--out", str(out), *more]
    assert example.main(argv) == 0
    said = capsys.readouterr().out
    exact, first, *_, last, solved = rates(said)
    bits = 2 * 150 * (8 if "128" in more else 4) * 8
    assert exact * bits >= 400, "errors enough to tell rates apart"
    assert first > 1.1 * exact
    assert abs(last - exact) <= 0.05 * exact and abs(solved - exact) <= 0.05 * exact
    assert "0 of 2 channels not solved" in said
    assert out.read_bytes().startswith(b"\x89PNG")


def test_bits_of_neighbours_differ_in_one(example):
    assert (np.abs(np.diff(example.BITS, axis=0)).sum(axis=1) == 1).all()
    sent = np.arange(16).reshape(2, 2, 4) % 16
    symbols = example.LEVELS[sent[0]] + 1j * example.LEVELS[sent[1]]
    assert example.wrong_bits(sent, symbols) == 0
    assert example.wrong_bits(sent, symbols + 2.0 * (symbols.real < 15)) == 8


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (None, "cannot be read: "),
        (np.ones((3, 4)), r"must be finite numbers \[channels, antennas, users\], .* \(3, 4\)"),
        (np.full((1, 2, 2), np.nan), "must be finite numbers"),
        (np.ones((0, 2, 2)), "must be finite numbers"),
    ],
)
def test_bad_channels_are_refused_in_a_sentence(example, tmp_path, capsys, channels, message):
    path = tmp_path / "channels.npy"
    if channels is not None:
        np.save(path, channels)
    assert example.main(["--channels", str(path), "--out", str(tmp_path / "x.png")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and re.match(f"error: channels .*{message}", said.err)
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    "matrix", [definite(8, 3, 1), skewed(6, 3, 2), 2j * np.eye(3) + 5 * definite(3, 2, 1)]
)
def test_a_batch_is_refined_as_one_after_the_other(matrix):
    rng = np.random.default_rng(4)
    known = rng.standard_normal((len(matrix), 5))
    sides = matrix @ known
    sides[:, 1] = 0
    together = Solver(matrix, method="refine").refine_all(sides, iterations=4)
    apart = Solver(matrix, method="refine")
    for k, side in enumerate(sides.T):
        one = apart.solve(side, tolerance=1e-14, iterations=4)
        last = together[-1][:, k]
        assert np.allclose(one.best, last, rtol=1e-9, atol=1e-12 * np.abs(known).max())
