"""Jobs that show the physics print, draw, write and refuse what they should."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from golden.tile.analog import Analog
from golden.tile.diagnostics import diagnose
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from ohmulator import cli
from ohmulator.jobs import measure, physics, report, stimuli, sweep
from ohmulator.jobs import run as digits
from ohmulator.jobs import sim as testbench
from ohmulator.jobs import spice as export
from ohmulator.jobs.random_chip import random_chip
from ohmulator.jobs.screen import Screen
from spec.config import ChipConfig
from spec.errors import UserError
from spec.load import load
from spec.physics import IDEAL, Physics
from tests.support.configs import toml


def run(job: cli.Main, *arguments: object) -> int:
    """Run a job with arguments and return its exit status."""
    return job([str(argument) for argument in arguments])


def chip_file(folder: Path, changes: dict[str, object]) -> Path:
    """Write the preset `rough` with some fields replaced."""
    config = load("rough")
    fields = {name: config.value(name) for name in ChipConfig.field_names()}
    fields["mapping"] = str(config.array.mapping)
    path = folder / "chip.toml"
    path.write_text(toml(fields | changes))
    return path


SMALL = {"rows": 64, "columns": 10, "adcs": 10, "slices": 1}
NO_FAULTS = {name: IDEAL.value(name) for name in Physics.field_names()}


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_physics_measures_what_was_drawn_for_the_chip(tmp_path, capsys):
    path = chip_file(tmp_path, SMALL | {"stuck_high": 0.05})
    figures = tmp_path / "figures.json"
    assert run(physics.main, "--config", path, "--out", tmp_path, "--json", figures) == 0
    found = json.loads(figures.read_text())
    assert all(is_picture(tmp_path / f"{name}.png") for name in ("cells", "wires", "adc"))

    config = load(path)
    analog, levels = random_chip(config, 0)
    off = (
        np.abs(analog.array.g_s - config.array.g_min_s - levels * config.g_step_s)
        > config.g_step_s / 2
    )
    assert found["cells_failed"] == off.sum() > 20
    assert f"{off.sum()} of {off.size}" in capsys.readouterr().out
    # Drawn with these standard deviations; half of the cells are clipped at the lowest level.
    assert 0.5 * config.physics.cells.program_error < found["program_error_levels"]
    assert found["program_error_levels"] < config.physics.cells.program_error
    assert 0 < found["ir_drop_mean"] < found["ir_drop_worst"] < 0.2
    assert 0.3 < found["adc_offset_worst_lsb"] < 5 * config.physics.converters.adc_offset
    assert 0.1 < found["adc_inl_worst_lsb"] < 3 and found["adc_enob_worst"] < 7.9


def test_physics_of_an_ideal_chip_is_ideal(tmp_path):
    figures = tmp_path / "figures.json"
    ideal = ("--config", "digits", "--out", tmp_path, "--json", figures)
    assert run(physics.main, *ideal) == 0
    found = json.loads(figures.read_text())
    assert found["cells_failed"] == 0 and found["ir_drop_worst"] < 1e-9
    assert found["adc_inl_worst_lsb"] < 1e-9 and found["adc_codes_missing"] == 0
    assert found["adc_enob_worst"] == pytest.approx(8, abs=0.1)


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        (physics, ["--seed", "-1"], "seed must be an integer of 0 to 4294967295, not -1"),
        (physics, ["--config", "nothing"], "'nothing' is neither a preset"),
        (sweep, ["--count", "1"], "count must be an integer of 2 to 100 .chips., not 1"),
        (sweep, ["--config", "pku2025"], "digits need a tile of at least 64 rows"),
        (export, ["--slice", "8"], "slice must be an integer of 0 to 7 .*, not 8"),
        (export, ["--drive", "a"], "drive must be integers between commas, not 'a'"),
        (export, ["--drive", "1,2"], "drive must be 1 DAC code or 8 .rows., not 2"),
        (export, ["--drive", "16"], "a DAC code of drive must be an integer of -8 to 15, not 16"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path, capsys, module, arguments, words):
    assert run(module.main, *arguments, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert re.search(words, said) and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_adcs_far_off_are_measured_whole():
    config = load("digits", physics=Physics.of(adc_gain=0.2, adc_offset=10.0), **SMALL)
    measured, _ = measure.measure_adcs(random_chip(config, 0)[0], *physics.ramp_of(config))
    assert measured.gain.std() == pytest.approx(0.2, rel=0.7)
    assert np.abs(measured.gain).max() > 0.2 and np.abs(measured.offset).max() > 8
    assert np.abs(measured.inl).max() < 0.1 and not any(map(len, measured.missing))


def test_an_adc_without_linearity_leaves_no_picture(tmp_path, capsys):
    path = chip_file(tmp_path, SMALL | {"adc_bits": 1})
    assert run(physics.main, "--config", path, "--out", tmp_path / "out") == 2
    assert "ADCs of adc_bits 1 have no linearity to measure" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sweep_repeats_itself_and_faults_cost_accuracy(tmp_path, monkeypatch, capsys):
    # Ends of each axis only: the job itself takes longer than a test should.
    short = {
        name: dataclasses.replace(axis, values=axis.values[:: len(axis.values) - 1])
        for name, axis in sweep.AXES.items()
    }
    monkeypatch.setattr(sweep, "AXES", short)
    path = chip_file(tmp_path, SMALL | {"slices": 2} | NO_FAULTS)
    answers = []
    for name in ("a.json", "b.json"):
        wanted = ("--config", path, "--count", 2, "--out", tmp_path, "--json", tmp_path / name)
        assert run(sweep.main, *wanted) == 0
        answers.append(json.loads((tmp_path / name).read_text()))
    assert answers[0] == answers[1]
    assert is_picture(tmp_path / "sweep.png")
    accuracies = {name: found["mean"] for name, found in answers[0]["accuracies"].items()}
    assert set(accuracies) == set(short)
    for ideal, faulty in accuracies.values():
        assert ideal == accuracies["ADC bits"][0] > 0.94
        assert faulty < ideal - 0.01
    assert f"{accuracies['ADC bits'][1]:.1%}" in capsys.readouterr().out


def test_export_is_what_ngspice_and_the_model_agree_on(tmp_path):
    deck = tmp_path / "array.sp"
    drive = [0, 15, -8, 3, 7, 1, 2, 4]
    codes = "--drive=" + ",".join(map(str, drive))
    assert run(export.main, "--slice", 7, "--seed", 3, codes, "--out", deck) == 0
    config = load("pku2025")
    analog, _ = random_chip(config, 3)
    wanted = np.array(drive) * config.v_step_v @ analog.array.effective_s[7]
    said = [float(x) for x in re.findall(r"^\*\s+i\(Vout\d+\) = (\S+)$", deck.read_text(), re.M)]
    np.testing.assert_allclose(said, wanted, rtol=1e-6)
    if not shutil.which("ngspice"):
        pytest.skip("ngspice is not installed")
    printed = subprocess.run(["ngspice", "-b", deck], capture_output=True, text=True, check=True)
    found = re.findall(r"^i\(vout\d+\) = (\S+)$", printed.stdout, re.MULTILINE)
    np.testing.assert_allclose([float(x) for x in found], wanted, rtol=1e-7)


def test_export_refuses_curved_cells(tmp_path, capsys):
    path = chip_file(tmp_path, {"nonlinearity": 2.0})
    assert run(export.main, "--config", path, "--out", tmp_path / "a.sp") == 2
    assert "nonlinearity is 2 per volt: set it to 0" in capsys.readouterr().err
    assert not (tmp_path / "a.sp").exists()


def test_a_report_tells_clipping_and_failed_cells(capsys):
    config = load("rough")
    weights = np.full((64, 64), 60)
    analog = Analog.programmed(config, weights)
    vectors = np.full((4, 64), 31)
    products = Tile(config, analog).multiply(vectors, [0, 0])
    levels = cell_levels(config, slice_weights(config, weights))
    found = diagnose(analog, products, levels)
    screen = Screen()
    screen.table("chip", [report.rows(found)])
    report.warn(screen, found)
    text = capsys.readouterr().out
    assert "100.00%, 0.00%" in text and "warning: ADCs of slice 1 clip 100 %" in text
    assert f"{found.failed.sum()} of {found.failed.size}" in text and found.failed.sum() > 0
    figures = report.figures(found)
    assert figures["clipped_high"] == [1.0, 1.0] and figures["warnings"] == found.warnings()
    json.dumps(figures)


def test_digits_meet_the_same_faults_in_verilog_and_model(tmp_path, capsys):
    path = chip_file(tmp_path, SMALL | {"program_error": 0.5})
    figures = tmp_path / "figures.json"
    assert run(digits.main, "--config", path, "--out", tmp_path, "--json", figures) == 0
    found = json.loads(figures.read_text())
    assert found["words_different"] == 0 and found["words_compared"] == 5400
    assert found["rtl_accuracy"] == found["model_accuracy"] > 0.5
    assert found["diagnostics"]["cells_failed"] > 10
    assert 0 < found["diagnostics"]["ir_drop_mean"] < 0.1
    said = capsys.readouterr().out
    assert "cells off by over half a level" in said and "MATCH" in said
    assert is_picture(tmp_path / "digits.png") and (tmp_path / "boundary.gtkw").exists()


def test_a_testbench_meets_the_faults_of_its_configuration(tmp_path, capsys):
    path = chip_file(tmp_path, SMALL)
    options = ("--config", path, "--count", 5, "--out", tmp_path)
    assert run(testbench.main, *options) == 0
    assert "MATCH: all 50 words" in capsys.readouterr().out
    config = load(path)
    job = stimuli.tile(config, 0, 5, "")
    assert job.config.physics == config.physics != Physics()


def test_a_testbench_multiplies_in_either_direction(tmp_path, capsys):
    path = chip_file(tmp_path, SMALL)
    options = ("--config", path, "--count", 5, "--out", tmp_path / "none", "--transposed")
    assert run(testbench.main, *options) == 0
    said = capsys.readouterr().out
    rows = load(path).array.rows
    assert f"MATCH: all {5 * rows} words of 5 transposed products" in " ".join(said.split())
    # No waveform, and no word of one.
    assert "waveforms" not in said and not (tmp_path / "none" / "boundary.vcd").exists()
    with pytest.raises(UserError, match="needs the differential mapping"):
        stimuli.tile(load("isaac"), 0, 5, "", transposed=True)
