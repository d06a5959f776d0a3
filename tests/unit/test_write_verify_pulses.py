"""Pulses of write-verify: how they climb and end, relaxation, noise, seeds."""

import math

import numpy as np
import pytest

from golden.array.cells import Pulse
from golden.tile.tile import Tile
from golden.tile.write_verify import program, targets
from spec.load import load
from spec.physics import Physics
from tests.support.cells_to_program import SPREADS, one_cell, place, pulses_of
from tests.support.configs import VERIFIABLE
from tests.support.programming import (
    fresh,
    misses,
    random_weights,
)


def test_amplitudes_climb_to_the_strongest_and_start_anew_after_an_overshoot(monkeypatch):
    pulses = {"pulse_bits": 4, "pulse_first": 5, "pulse_increment": 4}
    config = VERIFIABLE.replace(rows=1, pulse_step=0.01, **pulses)
    seen = pulses_of(monkeypatch)
    analog = fresh(config)
    assert program(analog, one_cell(7)).success.all()
    assert seen[:6] == [(Pulse.SET, a) for a in (5, 9, 13, 15, 15, 15)]

    # Pulses that jump across the window turn round at once, and each turn begins at the first.
    config = config.replace(physics=Physics.of(pulse_step=0.2))
    seen.clear()
    analog = fresh(config)
    assert not program(analog, one_cell(1)).success.any()
    kinds = [kind for kind, _ in seen]
    turns = [i for i in range(1, len(kinds)) if kinds[i] != kinds[i - 1]]
    assert turns and kinds[0] == Pulse.SET
    for i, (_, amplitude) in enumerate(seen):
        assert amplitude == (5 if i in [0, *turns] else min(seen[i - 1][1] + 4, 15))

    seen.clear()
    place(analog, 7.0)
    assert program(analog, one_cell(0)).success.all()
    assert {kind for kind, _ in seen[:3]} == {Pulse.RESET}


@pytest.mark.parametrize("limit", [1, 7, 30, 255])
def test_stuck_cells_are_given_up_after_the_limit(limit):
    config = VERIFIABLE.replace(rows=4, pulse_limit=limit)
    analog = fresh(config)
    place(analog, 4.0)
    at = config.array.g_min_s + np.array([0.0, 3.0, 7.0, 4.1]) * config.g_step_s
    analog.array.cells.stick(1, np.arange(4), 2, at)
    weights = np.full((4, 4), 4 * config.radix)
    wanted = targets(config, weights, columns=slice(1, 2))
    outcome = program(analog, wanted)
    stuck = (wanted.slices == 1) & (wanted.lines(config) == 2)
    assert (~outcome.success & stuck).sum() == 3
    # The last is stuck where it is wanted: a success.
    assert outcome.success[stuck].tolist() == [False, False, False, True]
    assert outcome.pulses[stuck].tolist() == [limit, limit, limit, 0]
    units = np.array([0.0, 3.0, 7.0, 4.1]) + config.array.g_min_s / config.g_step_s
    assert outcome.codes[stuck].tolist() == np.floor(-8 * units + 0.5).astype(int).tolist()


def test_pulses_without_effect_end_at_the_limit():
    config = VERIFIABLE.replace(rows=4, pulse_first=2, pulse_increment=0)
    analog = fresh(config)
    wanted = targets(config, random_weights(config))
    outcome = program(analog, wanted)
    np.testing.assert_array_equal(outcome.success, wanted.levels == 0)
    np.testing.assert_array_equal(outcome.pulses, np.where(outcome.success, 0, 30))


def test_a_cell_that_already_fits_is_left_alone():
    config = VERIFIABLE.replace(rows=4)
    analog = fresh(config)
    wanted = targets(config, random_weights(config))
    first = program(analog, wanted)
    before = analog.array.g_s
    again = program(analog, wanted)
    assert again.success.all() and not again.pulses.any() and first.pulses.any()
    np.testing.assert_array_equal(again.codes, first.codes)
    np.testing.assert_array_equal(analog.array.g_s, before)


def test_cells_relax_once_at_the_first_product():
    large = VERIFIABLE.replace(rows=20, columns=20, adc_bits=10)
    config = large.replace(relaxation=0.1, stuck_any=0.05)
    analog = fresh(config)
    weights = random_weights(config)
    outcome = program(analog, targets(config, weights))
    verified = analog.array.g_s
    assert (np.abs(misses(analog, weights)[~analog.array.cells.stuck]) < 0.3).all()
    program(analog, targets(config, weights))
    np.testing.assert_array_equal(analog.array.g_s, verified)

    vectors = np.ones((2, config.array.rows), np.int64)
    Tile(config, analog).multiply(vectors)
    relaxed = analog.array.g_s
    touched = (analog.array.cells.pulses > 0) & ~analog.array.cells.stuck
    np.testing.assert_array_equal(relaxed != verified, touched)
    moved = ((relaxed - verified) / config.g_step_s)[touched]
    # Cells at a bound cannot move further.
    assert 0.08 < moved.std() < 0.12 and outcome.pulses.any()
    Tile(config, analog).multiply(vectors)
    np.testing.assert_array_equal(analog.array.g_s, relaxed)


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    return abs(float(np.corrcoef(np.ravel(left), np.ravel(right))[0, 1]))


def test_reads_of_cells_are_noisy_each_on_its_own():
    noise = {"read_noise": 0.03, "dac_noise": 0.1, "sense_noise": 0.4}
    config = VERIFIABLE.replace(rows=32, columns=32, adc_bits=7, **noise)
    analog, other, reseeded = (
        fresh(config),
        fresh(config),
        fresh(config.replace(physics=config.physics.replace(seed=1))),
    )
    for each in (analog, other, reseeded):
        place(each, 5.0)
    at = np.nonzero(np.ones(analog.array.cells.shape, bool))
    first, second, third = analog.hold_cells(*at), analog.hold_cells(*at), reseeded.hold_cells(*at)
    np.testing.assert_array_equal(first, other.hold_cells(*at))
    g = 5 + config.array.g_min_s / config.g_step_s
    assert first.mean() == pytest.approx(-8 * g, abs=0.1)
    expected = math.hypot(0.03 * 8 * g, 0.1 * g, 0.4)
    few = 4 / math.sqrt(first.size)
    assert first.std() == pytest.approx(expected, rel=few)
    assert correlation(first, second) < few
    assert correlation(first, third) < few
    noise = first.reshape(analog.array.cells.shape)
    assert correlation(noise[..., 1:], noise[..., :-1]) < few
    assert correlation(noise[:, 1:], noise[:, :-1]) < few
    assert correlation(noise[0], noise[1]) < 1.5 * few


def test_the_same_seed_programs_the_same_chip_and_another_another():
    config = load("digits", rows=32, columns=32, adcs=32, physics=SPREADS)
    weights = random_weights(config)
    errors = []
    for seed in (0, 0, 1):
        physics = SPREADS.replace(seed=seed)
        analog = fresh(config.replace(physics=physics))
        assert program(analog, targets(config, weights)).success.mean() > 0.999
        off = misses(analog, weights)
        errors.append(off[off != 0])
    np.testing.assert_array_equal(errors[0], errors[1])
    assert not np.array_equal(errors[0], errors[2])
    # A window of a quarter of a level to either side, and what noise and converters add to it.
    for error in errors:
        assert 0.05 < error.std() < 0.2 and abs(error.mean()) < 0.2
