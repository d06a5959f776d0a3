"""Cells: pulses, spreads, relaxation, drift and stuck cells."""

import numpy as np
import pytest

from golden.array.cells import Cells, Pulse
from spec.config import ChipConfig
from spec.errors import UserError
from tests.support.configs import VERIFIABLE


def chip(rows: int = 32, columns: int = 32, **physics: float) -> ChipConfig:
    return VERIFIABLE.replace(rows=rows, columns=columns, adcs=columns, **physics)


def everywhere(cells: Cells) -> tuple[np.ndarray, ...]:
    return np.nonzero(np.ones(cells.shape, bool))


@pytest.mark.parametrize("kind", list(Pulse))
def test_steps_shrink_towards_the_bound_and_grow_with_the_amplitude(kind):
    config = chip(1, 1)
    travelled = []
    for amplitude in (4, 8, 16, 31):
        cells = Cells(config)
        cells.place(
            np.full(
                cells.shape, config.array.g_max_s if kind is Pulse.RESET else config.array.g_min_s
            )
        )
        path = [cells.g_s[0, 0, 0]]
        for _ in range(60):
            cells.pulse(0, 0, 0, kind, amplitude)
            path.append(cells.g_s[0, 0, 0])
        steps = np.abs(np.diff(path))
        assert (np.diff(steps) < 0).all(), "steps do not shrink"
        assert (np.sign(np.diff(path)) == (1 if kind is Pulse.SET else -1)).all()
        assert config.array.g_min_s / 1.1 < min(path) and max(path) < config.array.g_max_s * 1.1
        travelled.append(steps[0])
    assert (np.diff(travelled) > 0).all()


def test_a_pulse_follows_its_equation():
    config = chip(1, 1, pulse_step=0.05, pulse_threshold=2, headroom=0.2)
    cells = Cells(config)
    cells.place(np.full(cells.shape, 10e-6))
    cells.pulse(0, 0, 0, Pulse.SET, 6)
    top = 1.2 * config.array.g_max_s
    up = 10e-6 + (top - 10e-6) * (1 - np.exp(-0.05 * 4))
    assert cells.g_s[0, 0, 0] == pytest.approx(up, rel=1e-12)
    cells.pulse(0, 0, 0, Pulse.RESET, 3)
    bottom = config.array.g_min_s / 1.2
    assert cells.g_s[0, 0, 0] == pytest.approx(bottom + (up - bottom) * np.exp(-0.05), rel=1e-12)


def test_amplitudes_up_to_the_threshold_do_nothing_but_count():
    cells = Cells(chip(2, 2, pulse_threshold=5))
    before = cells.g_s
    cells.pulse(1, 0, 2, Pulse.SET, 5)
    np.testing.assert_array_equal(cells.g_s, before)
    assert cells.pulses[1, 0, 2] == 1 and cells.pulses.sum() == 1


def test_order_of_cells_and_grouping_of_pulses_change_nothing():
    config = chip(4, 3, pulse_device_spread=0.2, pulse_cycle_spread=0.3, drift_spread=0.1, seed=5)
    rng = np.random.default_rng(0)
    together, alone = Cells(config), Cells(config)
    for _ in range(8):
        mask = rng.random(together.shape) < 0.6
        kind, amplitude = rng.integers(0, 2, together.shape), rng.integers(0, 32, together.shape)
        together.pulse(*np.nonzero(mask), kind[mask], amplitude[mask])
        for cell in rng.permutation(np.argwhere(mask)):
            at = tuple(int(i) for i in cell)
            alone.pulse(*at, int(kind[at]), int(amplitude[at]))
        for cells in (together, alone):
            cells.wait(10.0)
        np.testing.assert_array_equal(together.g_s, alone.g_s)
    for cells in (together, alone):
        cells.relax()
    np.testing.assert_array_equal(together.g_s, alone.g_s)


def strengths(cells: Cells, kind: Pulse) -> np.ndarray:
    """Return log strength of one pulse of amplitude 10 to every cell, from what it moved."""
    config, headroom = cells.config, 1.1
    bound = (
        config.array.g_max_s * headroom if kind is Pulse.SET else config.array.g_min_s / headroom
    )
    before = cells.g_s
    cells.pulse(*everywhere(cells), kind, 10)
    return np.log(np.log((bound - before) / (bound - cells.g_s)))


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    return abs(float(np.corrcoef(left.ravel(), right.ravel())[0, 1]))


def test_an_odd_number_of_cells_gets_pulses_of_both_kinds():
    config = chip(3, 1, slices=1, mapping="offset", pulse_device_spread=0.2)
    cells = Cells(config)
    assert cells.g_s.size % 2
    first = [strengths(cells, kind) for kind in (Pulse.SET, Pulse.RESET)]
    again = [strengths(cells, kind) for kind in (Pulse.SET, Pulse.RESET)]
    np.testing.assert_allclose(first, again, atol=1e-9)
    assert np.unique(first).size == 2 * cells.g_s.size


def test_device_spread_is_drawn_once_a_cell_and_apart_for_set_and_reset():
    cells = Cells(chip(pulse_device_spread=0.2))
    first, second, reset = (strengths(cells, kind) for kind in (Pulse.SET, Pulse.SET, Pulse.RESET))
    few = 4 / np.sqrt(first.size)
    np.testing.assert_allclose(first, second, atol=1e-9)
    assert first.std() == pytest.approx(0.2, rel=3 * few)
    assert np.exp(np.median(first)) == pytest.approx(0.02 * 7, rel=0.02)
    assert correlation(first, reset) < few
    assert correlation(first[:, 1:], first[:, :-1]) < few
    assert correlation(first[0], first[1]) < 2 * few
    assert (
        correlation(first, strengths(Cells(chip(pulse_device_spread=0.2, seed=1)), Pulse.SET)) < few
    )


def test_cycle_spread_is_drawn_for_every_pulse():
    cells = Cells(chip(pulse_cycle_spread=0.3))
    first, second = strengths(cells, Pulse.SET), strengths(cells, Pulse.SET)
    few = 4 / np.sqrt(first.size)
    assert first.std() == pytest.approx(0.3, rel=3 * few)
    assert correlation(first, second) < few
    assert correlation(first[:, 1:], first[:, :-1]) < few


def test_relaxation_moves_each_programmed_cell_once():
    config = chip(relaxation=0.2)
    cells = Cells(config)
    cells.place(np.full(cells.shape, 20e-6))
    cells.pulse(*everywhere(cells), Pulse.SET, 0)
    mask = np.zeros(cells.shape, bool)
    mask[0] = True
    before = cells.g_s
    cells.relax()
    moved = (cells.g_s - before) / config.g_step_s
    few = 4 / np.sqrt(moved.size)
    assert moved.std() == pytest.approx(0.2, rel=few) and abs(moved.mean()) < few
    assert correlation(moved[:, 1:], moved[:, :-1]) < few

    after = cells.g_s
    cells.relax()
    np.testing.assert_array_equal(cells.g_s, after)
    cells.pulse(*np.nonzero(mask), Pulse.SET, 0)
    cells.relax()
    again = (cells.g_s - after) / config.g_step_s
    assert (again[~mask] == 0).all() and (again[mask] != 0).all()
    assert correlation(again[mask], moved[mask]) < 2 * few


def test_program_error_is_normal_and_clipped_at_the_bounds():
    config = chip(program_error=0.3)
    levels = np.random.default_rng(0).integers(0, 8, Cells(config).shape)
    first, second, other = (Cells(config), Cells(config), Cells(chip(program_error=0.3, seed=1)))
    for cells in (first, second, other):
        cells.program(levels)
    np.testing.assert_array_equal(first.g_s, second.g_s)
    inner = (levels > 1) & (levels < 6)

    def error(cells: Cells) -> np.ndarray:
        return ((cells.g_s - config.array.g_min_s) / config.g_step_s - levels)[inner]

    few = 4 / np.sqrt(inner.sum())
    assert error(first).std() == pytest.approx(0.3, rel=few)
    assert abs(error(first).mean()) < 0.3 * few
    assert correlation(error(first)[1:], error(first)[:-1]) < few
    assert correlation(error(first), error(other)) < few
    before = error(first)
    first.program(levels)
    assert correlation(before, error(first)) < few, "programming again repeats the errors"
    assert first.g_s.min() == config.array.g_min_s / 1.1


def test_cells_drift_by_their_own_exponent_from_when_they_were_programmed():
    config = chip(drift=0.05, drift_spread=0.02, drift_t0_s=2.0, stuck_high=0.1)
    cells = Cells(config)
    cells.place(np.full(cells.shape, 20e-6))
    before = cells.g_s
    cells.wait(2.0)
    np.testing.assert_array_equal(cells.g_s, before)
    cells.wait(198.0)
    nu = -np.log(cells.g_s / before)[~cells.stuck] / np.log(100)
    few = 4 / np.sqrt(nu.size)
    assert nu.mean() == pytest.approx(0.05, abs=0.02 * few)
    assert nu.std() == pytest.approx(0.02, rel=few)
    assert correlation(nu[1:], nu[:-1]) < few
    reseeded = Cells(chip(drift_spread=0.02, seed=1))
    reseeded.wait(100.0)
    exponents = -np.log(reseeded.g_s / config.array.g_min_s)[~cells.stuck]
    assert correlation(nu, exponents) < few
    assert (cells.g_s[cells.stuck] == config.array.g_max_s).all()

    healthy = tuple(np.argwhere(~cells.stuck)[0])
    drifted = cells.g_s[healthy]
    cells.pulse(*healthy, Pulse.SET, 0)
    cells.wait(2.0)
    assert cells.g_s[healthy] == drifted, "a pulse does not start from the drifted conductance"
    cells.wait(198.0)
    assert cells.g_s[healthy] != drifted


def test_growth_by_drift_ends_at_the_bound_of_the_device():
    cells = Cells(chip(drift=-0.5, stuck_high=0.1))
    config = cells.config
    cells.wait(10.0)
    grown = cells.g_s[~cells.stuck]
    np.testing.assert_allclose(grown, config.array.g_min_s * 10**0.5)
    cells.wait(1e9)
    np.testing.assert_allclose(cells.g_s[~cells.stuck], config.array.g_max_s * 1.1)
    assert (cells.g_s[cells.stuck] == config.array.g_max_s).all()
    # One that was placed beyond the bound does not grow, nor does it fall back.
    cells.place(np.full(cells.shape, 2 * config.array.g_max_s))
    cells.wait(1e9)
    assert (cells.g_s[~cells.stuck] == 2 * config.array.g_max_s).all()


def test_stuck_cells_have_their_shares_and_ignore_programming():
    config = chip(stuck_low=0.05, stuck_high=0.1, stuck_any=0.2, pulse_cycle_spread=0.1)
    cells = Cells(config)
    size = cells.stuck.size
    stuck_s = cells.g_s[cells.stuck]
    low, high = (stuck_s == config.array.g_min_s).sum(), (stuck_s == config.array.g_max_s).sum()
    between = stuck_s[(stuck_s > config.array.g_min_s) & (stuck_s < config.array.g_max_s)]
    for count, share in [(low, 0.05), (high, 0.1), (len(between), 0.2)]:
        assert count == pytest.approx(share * size, abs=4 * np.sqrt(share * size))
    assert between.mean() == pytest.approx(
        (config.array.g_min_s + config.array.g_max_s) / 2, rel=0.1
    )

    before = cells.g_s
    cells.pulse(*everywhere(cells), Pulse.SET, 20)
    cells.program(np.full(cells.shape, 3))
    cells.relax()
    np.testing.assert_array_equal((cells.g_s == before), cells.stuck)
    other = Cells(chip(stuck_low=0.05, stuck_high=0.1, stuck_any=0.2, seed=1)).stuck
    assert correlation(cells.stuck, other) < 4 / np.sqrt(size)


def test_more_stuck_cells_leave_the_others_as_they_were():
    few, more = Cells(chip(stuck_low=0.02)), Cells(chip(stuck_low=0.2, stuck_high=0.1))
    assert few.stuck[more.stuck].sum() == few.stuck.sum() > 0


def test_cells_can_be_made_stuck_one_by_one():
    cells = Cells(chip(4, 4))
    cells.stick([0, 1], [2, 3], 5, [3e-6, 100e-6])
    cells.program(np.full(cells.shape, 7))
    assert cells.g_s[0, 2, 5] == 3e-6 and cells.g_s[1, 3, 5] == 100e-6
    assert cells.stuck.sum() == 2


def test_turning_one_effect_on_changes_no_other_draw():
    levels = np.full((2, 32, 64), 4)
    plain, busy = (
        Cells(chip(program_error=0.1)),
        Cells(chip(program_error=0.1, stuck_any=0.1, pulse_device_spread=0.2, drift_spread=0.1)),
    )
    plain.program(levels)
    busy.program(levels)
    np.testing.assert_array_equal(plain.g_s[~busy.stuck], busy.g_s[~busy.stuck])


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda c: c.pulse(0, 4, 0, 0, 9), r"cell \(slice 0, row 4, line 0\) lies outside"),
        (lambda c: c.pulse(0, 0, -1, 0, 9), "line -1"),
        (lambda c: c.pulse(0, [1, 1], 2, 0, 9), "named twice"),
        (lambda c: c.pulse(0, [0, 1], 0, 0, [3, -1]), "amplitude must be a DAC code .* not -1"),
        (lambda c: c.pulse(0, 0, 0, 0, 2.5), "amplitude must be a DAC code .* not 2.5"),
        (lambda c: c.pulse(0, 0, 0, 0, np.inf), "amplitude must be a DAC code .* not inf"),
        (lambda c: c.pulse(0, 0, 0, 2, 9), "kind must be a Pulse, not 2"),
        (lambda c: c.stick(0, 0, 0, -1e-6), "must be 0 to"),
        (lambda c: c.stick(2, 0, 0, 1e-6), "outside"),
        (lambda c: c.program(np.full(c.shape, 8)), r"level of cell \(slice 0, row 0, line 0\).* 8"),
        (lambda c: c.program(np.full(c.shape, np.nan)), "0 to 7, not nan"),
        (lambda c: c.program([1]), "must have the shape 2 x 4 x 8, not 1"),
        (lambda c: c.place(np.full(c.shape, -1e-6)), "conductance of cell"),
        (lambda c: c.wait(-1.0), "seconds to wait"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(act, words):
    cells = Cells(chip(4, 4))
    before = cells.g_s
    with pytest.raises(UserError, match=words):
        act(cells)
    np.testing.assert_array_equal(cells.g_s, before)
    assert not cells.pulses.any()


@pytest.mark.parametrize("fresh", [True, False])
def test_three_bit_levels_are_within_reach_of_thirty_pulses(fresh):
    """The plainest write-verify, with a third of spread from cell to cell and pulse to pulse."""
    config = chip(64, 32, pulse_device_spread=0.3, pulse_cycle_spread=0.3)
    cells = Cells(config)
    rng = np.random.default_rng(0)
    if not fresh:
        cells.program(rng.integers(0, 8, cells.shape))
    target = config.array.g_min_s + rng.integers(0, 8, cells.shape) * config.g_step_s
    kind, amplitude = np.full(cells.shape, -1), np.zeros(cells.shape, int)
    for _ in range(30):
        error = cells.g_s - target
        wanted = np.where(error < 0, Pulse.SET, Pulse.RESET)
        amplitude = np.where(wanted == kind, np.minimum(amplitude + 2, 31), 4)
        kind = wanted
        off = np.abs(error) > config.g_step_s / 4
        cells.pulse(*np.nonzero(off), kind[off], amplitude[off])
    assert (np.abs(cells.g_s - target) < config.g_step_s / 2).mean() >= 0.999


@pytest.mark.parametrize("drift", [0.3, -0.3])
@pytest.mark.parametrize("place", ["g_min_s", "g_max_s"])
@pytest.mark.parametrize("kind", list(Pulse))
def test_no_pulse_acts_backwards_wherever_a_cell_is(kind, place, drift):
    """Cells drift beyond their bounds, to which no pulse takes them back."""
    config = chip(drift=drift, drift_spread=0.2, pulse_cycle_spread=1.0, stuck_any=0.05)
    cells = Cells(config)
    cells.place(np.full(cells.shape, getattr(config.array, place)))
    for _ in range(3):
        cells.wait(1e4)
        before = cells.g_s
        cells.pulse(*everywhere(cells), kind, 20)
        moved = cells.g_s - before
        assert ((moved >= 0) if kind is Pulse.SET else (moved <= 0)).all()
        assert (moved[cells.stuck] == 0).all()


def test_relaxation_takes_no_cell_back_to_a_bound():
    config = chip(drift=0.5, relaxation=0.2)
    cells = Cells(config)
    cells.wait(1e6)
    low = config.array.g_min_s / 1.1
    assert (cells.g_s < low).all()
    # An amplitude without effect: all that moves is relaxation.
    cells.pulse(*everywhere(cells), Pulse.SET, 0)
    before = cells.g_s
    cells.relax()
    assert (cells.g_s != before).any()
    assert (cells.g_s >= before).all(), "beyond the bound no cell goes further"
    assert (cells.g_s == before).mean() == pytest.approx(0.5, abs=0.05)
