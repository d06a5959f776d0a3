"""An array in the loop between its converters: what it holds, what it says, what it refuses."""

import numpy as np
import pytest

from golden.array.lines import Array
from golden.inverse.answer import answer, answers, drive_codes, drive_shift
from golden.inverse.inversion import Inversion, loop_config
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from spec.errors import UserError
from tests.support.configs import chip

SIZE = 4
CELLS = np.array([[5, -2, 1, 0], [3, 6, 0, -1], [-1, 2, 7, 2], [0, 1, -3, 4]])
"""Levels of a matrix that is not symmetric and has a stable loop."""
FEEDBACK = np.array([40, 0, 16, 100])
"""In sixteenths of a level."""
SYSTEM = CELLS + np.diag(FEEDBACK / 16)
IDEAL = {"open_loop_gain": 1e12, "settle_band": 1e-9, "inv_steps": 20, "g_min_s": 0.0}


def square(**fields):
    sizes = {"rows": SIZE, "columns": SIZE, "cell_bits": 3, "slices": 1, "adc_bits": 8}
    return chip(**(sizes | fields))


def inversion(cells=CELLS, feedback=FEEDBACK, **fields):
    config = square(**fields)
    levels = cell_levels(config, slice_weights(config, cells))
    return Inversion(config, Array.programmed(config, levels), feedback)


def solved(loop, codes):
    scale = 2.0**loop.config.inversion.solution_places
    return np.linalg.solve(SYSTEM, np.asarray(codes, float).T).T * scale


CODES = np.array([[127, -127, 0, 3], [1, 0, 0, 0], [-90, 50, 77, -12]])


@pytest.mark.parametrize("fields", [{}, {"inv_dac_bits": 10, "inv_adc_bits": 6}, {"v_read_v": 0.7}])
@pytest.mark.parametrize("input_levels", [0.5, 4.0])
def test_held_values_solve_the_system_in_its_units(fields, input_levels):
    loop = inversion(**(IDEAL | fields), input_levels=input_levels)
    np.testing.assert_allclose(loop.weights, SYSTEM, rtol=1e-12)
    held = loop.hold(CODES)
    wanted = solved(loop, CODES)
    np.testing.assert_allclose(held.values, wanted, rtol=0, atol=1e-7 * np.abs(wanted).max())


def test_a_unit_is_a_code_of_the_converter_at_step_0():
    loop = inversion(**IDEAL)
    volts = loop.transient.final @ (-loop.dac_v * CODES[0])
    np.testing.assert_allclose(loop.hold(CODES).values[0] * loop.unit_v, volts, rtol=1e-6)
    top = loop.config.inversion.inv_steps - 1
    adcs = loop.adcs(top)
    read = loop.config.converter.v_read_v / loop.unit_v
    assert not adcs.beyond(np.full(SIZE, read * 0.99)).any()
    assert adcs.beyond(np.full(SIZE, read * 1.01)).all()
    assert adcs.beyond(np.full(SIZE, -read * 1.01)).all()


def test_one_cell_changes_every_answer():
    loop = inversion(**IDEAL)
    before = loop.hold(CODES).values
    loop.array.cells.stick([0], [2], [1], loop.config.array.g_max_s)
    after = loop.hold(CODES).values
    assert (np.abs(after - before)[0] > 1e-3 * np.abs(before).max()).all()
    changed = SYSTEM.copy()
    changed[2, 0] = -7
    np.testing.assert_allclose(loop.weights, changed, atol=1e-9)


@pytest.mark.parametrize(
    "fields",
    [{"r_word_ohm": 50.0}, {"r_bit_ohm": 50.0}, {"r_sense_ohm": 500.0}, {"open_loop_gain": 100.0}],
)
def test_wires_and_gain_change_what_it_holds(fields):
    ideal = inversion(**IDEAL).hold(CODES).values
    real = inversion(**(IDEAL | fields)).hold(CODES).values
    assert 1e-4 < np.abs(real - ideal).max() / np.abs(ideal).max() < 0.2


def test_a_slower_loop_takes_longer_and_is_sampled_once_it_is_within_the_band():
    quick, slow = inversion(), inversion(gain_bandwidth_hz=20e6, node_f=1e-12)
    assert quick.settle_cycles < slow.settle_cycles
    read = slow.config.converter.v_read_v
    final = -slow.transient.final * slow.dac_v @ CODES.T
    off = slow.hold(CODES).values.T * slow.unit_v - final
    assert np.abs(off).max() <= slow.config.inversion.settle_band * read


def test_a_timer_samples_when_it_says():
    early = inversion(inv_timer_s=20e-9, gain_bandwidth_hz=20e6)
    assert early.settle_cycles == 2
    volts = early.transient.at(20e-9) @ (-early.dac_v * CODES.T)
    np.testing.assert_allclose(early.hold(CODES).values.T * early.unit_v, volts, rtol=1e-9)
    late = inversion(gain_bandwidth_hz=20e6).hold(CODES).values
    assert np.abs(early.hold(CODES).values - late).max() > 0.05 * np.abs(late).max()


def test_a_loop_that_never_settles_or_too_late_has_no_answer():
    unstable = inversion(cells=-CELLS, feedback=0 * FEEDBACK)
    assert not unstable.stable and unstable.settle_cycles is None
    with pytest.raises(UserError, match="the loop does not settle"):
        unstable.hold(CODES)
    bounded = inversion(inv_bound_s=1e-9)
    assert bounded.stable and bounded.settle_cycles is None
    timed = inversion(cells=-CELLS, feedback=0 * FEEDBACK, inv_timer_s=100e-9)
    held = timed.hold(CODES)
    rail = timed.config.physics.amplifiers.saturation_v / timed.unit_v
    assert held.saturated.all() and np.abs(held.values).max() == pytest.approx(rail, rel=0.01)


def test_saturation_and_disturbance_are_told_drive_by_drive():
    loop = inversion(saturation_v=0.1, input_levels=16.0)
    codes = np.array([[127, 127, 127, 127], [0, 0, 0, 5], [60, 0, 0, 0]])
    peaks = [
        loop.transient.course(-loop.dac_v * each[:, None], np.inf).peaks_v.max() for each in codes
    ]
    held = loop.hold(codes)
    np.testing.assert_array_equal(held.saturated, np.array(peaks) > 0.1)
    assert held.saturated.any() and not held.saturated.all()
    assert np.abs(held.values[held.saturated]).max() * loop.unit_v < 0.101
    read = inversion(input_levels=16.0, v_read_v=0.3).hold(codes)
    assert read.disturbed.any() and not read.disturbed.all() and not read.saturated.any()


def test_offsets_move_what_it_holds_for_good():
    offset = inversion(**IDEAL, amplifier_offset_v=1e-3)
    ideal, first = inversion(**IDEAL).hold(CODES).values, offset.hold(CODES).values
    moved = first - ideal
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), rtol=1e-4)
    np.testing.assert_array_equal(first, offset.hold(CODES).values)
    # An input offset counts once for each conductance at its node.
    loads = offset.array.g_s[0].sum(axis=1) / offset.config.g_step_s + FEEDBACK / 16
    loads += offset.config.inversion.input_levels
    back = SYSTEM @ (moved[0] * offset.unit_v) / loads
    assert np.abs(back).max() < 4e-3 and np.abs(back).min() > 1e-6


@pytest.mark.parametrize(
    "fields", [{"amplifier_noise_v": 1e-4}, {"read_noise": 0.02}, {"dac_noise": 0.5}]
)
def test_noise_has_the_spread_that_the_loop_gives_it(fields):
    loop = inversion(**IDEAL, **fields)
    quiet = inversion(**IDEAL).hold(CODES[:1]).values[0]
    noise = loop.hold(np.repeat(CODES[:1], 4000, axis=0)).values - quiet
    inverse = np.linalg.inv(SYSTEM)
    g = loop.array.g_s[0] / loop.config.g_step_s
    if "amplifier_noise_v" in fields:
        loads = np.diag(g.sum(axis=1) + FEEDBACK / 16 + loop.config.inversion.input_levels)
        spread = np.sqrt(((inverse @ loads) ** 2).sum(axis=1)) * 1e-4 / loop.unit_v
    elif "read_noise" in fields:
        squares = (g**2).reshape(SIZE, SIZE, 2).sum(axis=2)
        currents = 0.02 * np.sqrt(squares @ quiet**2)
        spread = np.sqrt(inverse**2 @ currents**2)
    else:
        scale = 2.0**loop.config.inversion.solution_places
        spread = np.sqrt((inverse**2).sum(axis=1)) * 0.5 * scale
    np.testing.assert_allclose(noise.std(axis=0), spread, rtol=0.06)
    assert (np.abs(noise.mean(axis=0)) < 5 * spread / np.sqrt(4000)).all()


def test_many_at_once_and_one_after_the_other_see_the_same_noise():
    fields = {"amplifier_noise_v": 1e-4, "read_noise": 0.02, "dac_noise": 0.5, "dac_inl": 0.5}
    together = inversion(**fields).hold(CODES).values
    single = inversion(**fields)
    apart = np.concatenate([single.hold(each[None]).values for each in CODES])
    np.testing.assert_allclose(together, apart, rtol=1e-12)
    other = inversion(**fields, seed=1).hold(CODES).values
    assert (other != together).all()


def test_converters_have_errors_of_their_own():
    fields = {"dac_offset": 1.0, "dac_gain": 0.02, "adc_offset": 1.0}
    loop = inversion(**IDEAL, **fields)
    zero = loop.hold(np.zeros((1, SIZE))).values[0]
    assert (np.abs(zero) > 0).all()
    gain = loop.hold(CODES[:1]).values[0] - zero
    assert np.abs(gain / solved(loop, CODES[:1])[0] - 1).max() > 1e-3
    ideal = inversion(**IDEAL).adcs(3).threshold(5)
    assert len(set(np.round(loop.adcs(3).threshold(5) - ideal, 6))) == loop.config.converter.adcs


@pytest.mark.parametrize("largest", [1, 2, 63, 64, 127, 128, 254, 255, 256, 2**30, 2**31])
def test_words_fill_the_range_of_the_dacs(largest):
    config = square()
    shift = drive_shift(config, largest)
    codes = drive_codes(np.array([largest, -largest, 0, largest // 3]), shift)
    assert 64 <= codes.max() <= 127 and codes.min() >= -127
    exact = np.array([largest, -largest, 0, largest // 3]) / 2.0**shift
    np.testing.assert_array_equal(codes, np.floor(exact + 0.5))


def test_no_words_but_zeros_are_driven_as_they_are():
    loop = inversion()
    found = answer(loop, np.zeros(SIZE), loop.config.inversion.inv_steps - 1)
    assert not found.codes.any() and found.clips_high == found.clips_low == 0


@pytest.mark.parametrize("scale", [1, 1000, 2**26])
@pytest.mark.parametrize("step", [0, 7, 19])
def test_an_answer_fills_the_range_of_the_adcs_wherever_it_begins(scale, step):
    loop = inversion(**IDEAL)
    words = np.array([31, -17, 5, 8]) * scale
    found = answer(loop, words, step)
    assert 32 <= np.abs(found.codes).max() <= 128
    assert found.clips_high == found.clips_low == 0
    assert found.rounds >= 1
    exact = np.linalg.solve(SYSTEM, words)
    shift = drive_shift(loop.config, int(np.abs(words).max()))
    off = 0.5 * 2.0**found.exponent + np.abs(np.linalg.inv(SYSTEM)).sum(axis=1) * 2.0 ** (shift - 1)
    assert (np.abs(found.codes * 2.0**found.exponent - exact) <= off).all()
    again = answer(loop, words, found.step)
    assert again.rounds == 1 and (again.codes == found.codes).all()


def test_an_answer_that_no_step_holds_is_counted():
    loop = inversion(input_levels=1024.0, saturation_v=50.0)
    found = answer(loop, np.array([127, 0, 0, 0]), 0)
    assert found.step == loop.config.inversion.inv_steps - 1
    assert found.clips_high + found.clips_low > 0
    assert found.disturbed and not found.saturated


def test_a_shorter_right_side_leaves_the_rest_at_rest():
    cells, feedback = CELLS.copy(), FEEDBACK.copy()
    cells[2:], cells[:, 2:] = 0, 0
    feedback[2:] = 112
    loop = inversion(cells=cells, feedback=feedback, **IDEAL)
    found = answer(loop, np.array([40, -20]), 10)
    exact = np.linalg.solve(SYSTEM[:2, :2], [40, -20])
    np.testing.assert_allclose(found.codes * 2.0**found.exponent, exact, rtol=0.05)


def test_an_array_of_a_loop_may_be_programmed_with_less_care():
    assert loop_config(square(program_error=0.1)).physics.cells.program_error == 0.1
    rough = loop_config(square(program_error=0.1, loop_program_error=0.3))
    assert rough.physics.cells.program_error == 0.3


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"columns": 2, "adcs": 2}, "as many rows as columns, not 4 and 2"),
        ({"mapping": "offset"}, "set mapping to 'differential'"),
        ({"nonlinearity": 1.0}, "nonlinearity is 1: set it to 0"),
    ],
)
def test_what_has_no_loop_is_refused(fields, said):
    config = square(**fields)
    with pytest.raises(UserError, match=said):
        Inversion(config, Array(config), FEEDBACK)


def test_feedback_and_codes_out_of_range_are_refused():
    config = square()
    for bad in ([0, 0, 0, 4096], [-1, 0, 0, 0], [0.5, 0, 0, 0], [1, 2, 3]):
        with pytest.raises(UserError, match="feedback"):
            Inversion(config, Array(config), bad)
    for bad in ([[128, 0, 0, 0]], [[-128, 0, 0, 0]], [[1, 2, 3]], [1, 2, 3, 4]):
        with pytest.raises(UserError, match="codes"):
            inversion().hold(bad)
    for bad in ([2**31], [-(2**31) - 1], [0.5]):
        with pytest.raises(UserError, match="words"):
            answer(inversion(), bad, 0)


NOISY = {
    "dac_noise": 0.3,
    "dac_inl": 0.2,
    "adc_offset": 0.4,
    "adc_dnl": 0.3,
    "read_noise": 0.02,
    "amplifier_noise_v": 1e-4,
    "saturation_v": 0.3,
}


@pytest.mark.parametrize("fields", [{}, NOISY], ids=["ideal", "noisy"])
def test_a_batch_is_answered_as_one_after_the_other(fields):
    rng = np.random.default_rng(0)
    words = rng.integers(-1, 2, (40, 4)) * rng.integers(0, 2 ** rng.integers(1, 31, (40, 1)))
    steps = rng.integers(0, 16, 40)
    together = answers(inversion(**fields), words, steps)
    apart = inversion(**fields)
    for k, (side, step) in enumerate(zip(words, steps, strict=True)):
        one = answer(apart, side, int(step))
        assert one.codes.tolist() == together.codes[k].tolist()
        for name in ("exponent", "step", "rounds", "clips_high", "clips_low", "saturated"):
            assert getattr(one, name) == getattr(together, name)[k], name
