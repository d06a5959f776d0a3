"""Every combination of the options of `make sim` that exist together, and two of them at once."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ohmulator.jobs import sim
from sim.runner import BOUNDARY
from tests.support.configs import SMALL, toml
from tests.support.tools import needs_icarus

PROJECT = Path(__file__).parents[2]
RTL = {"verilator": "rtl.vcd", "icarus": "rtl.fst"}

pytestmark = [pytest.mark.slow, needs_icarus]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(toml(SMALL))
    return path


@pytest.mark.parametrize(
    "simulator, waves, transposed", list(itertools.product(RTL, (False, True), (False, True)))
)
def test_options_together(tmp_path, capsys, config, simulator, waves, transposed):
    """Each run matches and leaves the figures, and just the waveforms that it draws."""
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    argv = ["--tb=tile", f"--sim={simulator}", "--count=2", "--seed=3", f"--config={config}"]
    argv += [f"--out={out}", f"--json={figures}"]
    argv += ["--waves"] * waves + ["--transposed"] * transposed
    assert sim.main(argv) == 0
    products = "transposed products" if transposed else "products"
    outputs = 3 if transposed else 4
    assert f"all {2 * outputs} words of 2 {products} equal" in capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert (found["simulator"], found["products"]) == (simulator, 2)
    drawn = ([] if transposed else [*BOUNDARY]) + [RTL[simulator]] * waves
    assert sorted(path.name for path in out.glob("*")) == sorted(drawn)


def test_waveforms_of_an_earlier_run_do_not_stay(tmp_path, capsys, config):
    """Files in a folder are those of the last run, which says what it removes."""
    runs = {
        "--sim=verilator --waves": {*BOUNDARY, "rtl.vcd"},
        "--sim=icarus --waves": {*BOUNDARY, "rtl.fst"},
        "--sim=verilator": {*BOUNDARY},
        "--sim=verilator --transposed": set(),
    }
    before: set[str] = set()
    for options, drawn in runs.items():
        argv = ["--count=2", f"--config={config}", f"--out={tmp_path / 'out'}", *options.split()]
        assert sim.main(argv) == 0
        assert {path.name for path in (tmp_path / "out").iterdir()} == drawn
        said = capsys.readouterr().out
        for name in before - drawn:
            assert f"removed {tmp_path}/out/{name}, a waveform of an earlier run\n" in said
        assert said.count("removed") == len(before - drawn)
        before = drawn


def test_two_at_once_do_not_mix(tmp_path, config):
    """Each leaves what it leaves alone: figures, and the same waveform of the boundary."""

    def start(folder, seed):
        argv = ["sim", "--sim=icarus", "--waves", "--count=3", f"--seed={seed}"]
        argv += [f"--config={config}", f"--out={folder}", f"--json={folder}/figures.json"]
        return subprocess.Popen([sys.executable, "-m", "ohmulator", *argv], cwd=PROJECT)

    for seed in 0, 1:
        assert start(tmp_path / f"alone {seed}", seed).wait(timeout=300) == 0
    both = [start(tmp_path / f"both {seed}", seed) for seed in (0, 1)]
    assert [each.wait(timeout=300) for each in both] == [0, 0]
    waveforms = []
    for seed in 0, 1:
        alone, mixed = (changes(tmp_path / f"{name} {seed}") for name in ("alone", "both"))
        assert alone == mixed
        waveforms.append(alone)
    assert waveforms[0] != waveforms[1]


def changes(folder):
    """Return a waveform of the boundary without its header, in which its date stands."""
    return (folder / "boundary.vcd").read_text().split("$enddefinitions")[1]
