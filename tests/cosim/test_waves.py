"""The waveform shows what the boundary did, and the save file opens what is in it."""

import re
from pathlib import Path

import numpy as np
import pytest
from vcd.reader import TokenKind, tokenize

from golden.array.lines import Array
from golden.array.wires import line_voltages
from golden.converter.dac import input_planes
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from golden.tile.write_verify import targets
from sim.job import TileJob
from sim.runner import Build
from sim.waves import Probes
from spec.config import ChipConfig
from spec.physics import IDEAL, Physics
from spec.tables import Mapping
from tests.support.configs import EVERY_FAULT
from tests.support.support_matrix import chip

WIRES = {"r_word": 100.0, "r_bit": 50.0, "r_driver": 200.0, "r_sense": 300.0}
PHYSICS = EVERY_FAULT.replace(seed=2, **{f"{name}_ohm": ohms for name, ohms in WIRES.items()})
CYCLES = 150


def read(path: Path) -> tuple[dict[str, list[tuple[int, float]]], int]:
    """Return the changes (time, value) of each variable, and the time of the last entry."""
    names, changes, now = {}, {}, 0
    with path.open("rb") as file:
        for token in tokenize(file):
            if token.kind is TokenKind.VAR:
                scope = "analogue" if token.var.type_.name == "real" else "digital"
                names[token.var.id_code] = f"{scope}.{token.var.reference}"
                changes[names[token.var.id_code]] = []
            elif token.kind is TokenKind.CHANGE_TIME:
                now = token.time_change
            elif token.kind is TokenKind.CHANGE_SCALAR:
                change = token.scalar_change
                changes[names[change.id_code]].append((now, float(change.value)))
            elif token.kind is TokenKind.CHANGE_VECTOR:
                change = token.vector_change
                changes[names[change.id_code]].append((now, float(change.value)))
            elif token.kind is TokenKind.CHANGE_STRING:
                change = token.string_change
                changes[names[change.id_code]].append((now, change.value))
            elif token.kind is TokenKind.CHANGE_REAL:
                change = token.real_change
                changes[names[change.id_code]].append((now, change.value))
    return changes, now


def at_cycles(changes: list[tuple[int, float]], period: int) -> np.ndarray:
    """Return the value in each of the recorded cycles."""
    times, values = np.array(changes).T
    return values[np.searchsorted(times, np.arange(CYCLES) * period, "right") - 1]


@pytest.fixture(scope="module", params=Mapping)
def recorded(request, tmp_path_factory):
    config = chip(request.param, PHYSICS)
    rng = np.random.default_rng(0)
    weights = rng.integers(*config.weight_range, (8, 4), endpoint=True)
    vectors = rng.integers(*config.input_range, (20, 8), endpoint=True)
    analog = Analog.programmed(config, weights)
    job = TileJob(analog, vectors, np.full(config.steps, 1), trace_cycles=CYCLES)
    folder = tmp_path_factory.mktemp("waves")
    # No Verilog depends on the physics: one build serves all.
    build = Build(chip(request.param, IDEAL), "tile", "verilator")
    outcome = build.run("sim.tb_tile", job, out=folder)
    # The trace draws from no random stream: the results stay those of the model.
    assert not outcome.mismatch
    changes, last = read(folder / "boundary.vcd")
    products = Tile(config, Analog.programmed(config, weights)).multiply(vectors, job.steps)
    return config, analog, vectors, products, changes, last, folder


def distinct(changes: list[tuple[int, float]]) -> list[float]:
    return [value for _, value in changes]


def test_held_values_are_those_of_the_model(recorded):
    config, _, _, products, changes, _, _ = recorded
    for s in range(config.array.slices):
        for c in range(config.array.columns):
            converter, group = (
                s * config.converter.adcs + c // config.forward.groups,
                c % config.forward.groups,
            )
            expected = products.held[:, :, converter, group].ravel() * config.unit_a * 1e6
            found = distinct(changes[f"analogue.held_uA_{s}_{c}"])[1:]
            assert len(found) >= 8
            np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-6)


def test_answers_compare_held_values_with_trial_levels(recorded):
    config, _, _, _, changes, _, _ = recorded
    period = 10
    for s in range(config.array.slices):
        for c in range(config.array.columns):
            level = at_cycles(changes[f"analogue.trial_uA_{s}_{c}"], period)
            held = at_cycles(changes[f"analogue.held_uA_{s}_{c}"], period)
            above = at_cycles(changes[f"digital.above_{s}_{c}"], period)
            # An ADC looks at one of its columns at a time.
            group = at_cycles(changes["digital.select"], period) == c % config.forward.groups
            np.testing.assert_array_equal(above[group], (held >= level)[group])


def test_voltages_and_currents_are_those_of_the_drive(recorded):
    config, analog, vectors, _, changes, _, _ = recorded
    planes = input_planes(config, vectors).reshape(-1, config.array.rows)[:6]
    volts = analog.array.drive_v(planes)
    assert np.abs(volts - planes * config.v_step_v).max() > 0.01 * config.v_step_v
    names = [name for name in changes if name.startswith("analogue.word_V_")]
    rows = [int(name.rsplit("_", 1)[1]) for name in names]
    assert len(rows) == 4
    strobes = [time for time, value in changes["digital.strobe"] if value][:6]
    sampled = [time // 10 for time in strobes]
    for name, row in zip(names, rows, strict=True):
        np.testing.assert_allclose(at_cycles(changes[name], 10)[sampled], volts[:, row], rtol=1e-6)
    ends = line_voltages(analog.array.g_s[-1], volts, **WIRES).word[:, :, -1]
    for row in rows:
        found = at_cycles(changes[f"analogue.word_end_V_{row}"], 10)[sampled]
        np.testing.assert_allclose(found, ends[:, row], rtol=1e-6)
        driven = np.abs(volts[:, row]) > 0.02
        assert driven.any() and (np.abs(found) < np.abs(volts[:, row]))[driven].all()
    lines = volts @ analog.array.effective_s[1]
    minus = 1 if config.array.mapping is Mapping.DIFFERENTIAL else config.bit_lines - 1
    found = at_cycles(changes["analogue.column_uA_1_0"], 10)[sampled]
    np.testing.assert_allclose(found, (lines[:, 0] - lines[:, minus]) * 1e6, rtol=1e-6)


def test_conductances_are_those_of_the_cells(recorded):
    config, analog, _, _, changes, _, _ = recorded
    cells = [name for name in changes if name.startswith("analogue.cell_uS_")]
    assert len(cells) == (8 if config.array.mapping is Mapping.DIFFERENTIAL else 4)
    for name in cells:
        s, row, line = map(int, name.rsplit("_", 3)[1:])
        assert distinct(changes[name]) == pytest.approx([analog.array.g_s[s, row, line] * 1e6])


def test_the_save_file_opens_traces_that_exist(recorded):
    _, _, _, _, changes, _, folder = recorded
    text = (folder / "boundary.gtkw").read_text()
    assert '[dumpfile] "boundary.vcd"' in text
    shown = re.findall(r"^(?:\+\{[^}]*\} )?((?:digital|analogue)\.\w+)", text, re.MULTILINE)
    bare = {re.sub(r"\[.*", "", name) for name in changes}
    assert len(shown) > 10 and set(shown) <= bare


def test_nothing_is_recorded_after_the_wanted_length(recorded):
    *_, last, _ = recorded
    assert last == CYCLES * 10


def test_recorded_word_lines_are_those_that_conduct():
    config = ChipConfig.of(
        rows=16, columns=8, cell_bits=2, slices=1, input_bits=4, dac_bits=2, adc_bits=6, adcs=8
    )
    weights = np.zeros((16, 8), np.int64)
    weights[[3, 7, 8, 15]] = 3
    assert Probes(Analog.ideal(config, weights)).rows.tolist() == [3, 7, 8, 15]


@pytest.mark.parametrize("mapping", Mapping)
def test_programming_shows_reads_pulses_and_conductances(mapping, tmp_path):
    config = chip(mapping, Physics.of(seed=3, r_word_ohm=50.0, pulse_cycle_spread=0.2))
    weights = np.random.default_rng(0).integers(*config.weight_range, (8, 4), endpoint=True)
    analog = Analog(config, Array(config))
    vectors = np.ones((1, 8), np.int64)
    wanted = targets(config, weights, columns=slice(0, 1))
    steps = np.full(config.steps, 1)
    job = TileJob(analog, vectors, steps, targets=wanted)
    build = Build(chip(mapping, IDEAL), "tile", "verilator")
    outcome = build.run("tests.support.tb_programming", job, out=tmp_path)
    assert not outcome.mismatch and outcome.programmed.success.mean() > 0.9
    changes, _ = read(tmp_path / "boundary.vcd")
    assert {"READ", "SET", "MVM"} <= set(distinct(changes["digital.mode"]))
    assert max(distinct(changes["digital.amplitude"])) >= config.programming.pulse_first
    moved = 0
    for name in (name for name in changes if name.startswith("analogue.cell_uS_")):
        s, row, line = map(int, name.rsplit("_", 3)[1:])
        shown = distinct(changes[name])
        assert shown[0] == pytest.approx(config.array.g_min_s * 1e6)
        assert shown[-1] == pytest.approx(outcome.g_s[s, row, line] * 1e6)
        moved += len(shown) > 2
    assert moved
    read_v = config.verify_code * config.v_step_v
    for name in (name for name in changes if name.startswith("analogue.word_V_")):
        assert {0.0, read_v} <= set(distinct(changes[name]))
