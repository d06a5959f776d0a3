"""Measurements of converters recover the errors that were put in."""

import numpy as np
import pytest

from golden.converter.linearity import Linearity, code_density, enob, linearity, ramp
from spec.errors import UserError

BITS = 8
IDEAL = np.arange(-127, 128) - 0.5
"""Transitions to the codes -127 .. 127 of a converter whose lowest code is -128, in LSB."""


def converter(transitions: np.ndarray, noise: float = 0.0):
    """Return converters with transitions [converters, n]."""
    rng = np.random.default_rng(0)

    def convert(inputs: np.ndarray) -> np.ndarray:
        inputs = inputs + noise * rng.standard_normal(inputs.shape)
        found = [
            np.searchsorted(each, column, side="right")
            for each, column in zip(transitions, inputs.T, strict=True)
        ]
        return np.stack(found, axis=1) - (1 << BITS - 1)

    return convert


def crooked() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return transitions of three converters, and their offsets, gains and INL in LSB."""
    rng = np.random.default_rng(1)
    offset, gain = np.array([0.0, 1.5, -2.25]), np.array([0.0, 0.02, -0.01])
    inl = rng.uniform(-0.3, 0.3, (3, 255)) + 2 * np.sin(np.linspace(0, np.pi, 255))
    inl[:, [0, -1]] = 0
    # Codes are 1 + gain wide, and so is the unit in which INL is measured.
    transitions = IDEAL[0] + offset[:, None] + (np.arange(255) + inl) * (1 + gain[:, None])
    return transitions, offset, gain, inl


def check(measured, offset, gain, inl, tolerance):
    np.testing.assert_allclose(measured.offset, offset, atol=tolerance)
    np.testing.assert_allclose(measured.gain, gain, atol=tolerance / 100)
    np.testing.assert_allclose(measured.inl, inl, atol=2 * tolerance)
    np.testing.assert_allclose(measured.dnl, np.diff(inl), atol=4 * tolerance)


def test_levels_give_their_errors_exactly():
    transitions, *errors = crooked()
    check(linearity(transitions, IDEAL), *errors, 1e-9)


def test_a_ramp_recovers_what_was_put_in():
    transitions, *errors = crooked()
    check(ramp(converter(transitions), 3, IDEAL, -128, samples=100), *errors, 0.006)


def test_a_ramp_sees_through_noise():
    transitions, *errors = crooked()
    check(ramp(converter(transitions, noise=0.5), 3, IDEAL, -128, samples=2000), *errors, 0.06)


def test_the_histogram_of_a_sine_recovers_what_was_put_in():
    transitions, *errors = crooked()
    check(code_density(converter(transitions), 3, IDEAL, -128, samples=1 << 17), *errors, 0.006)


@pytest.mark.parametrize("measure", [ramp, code_density])
def test_missing_codes_are_found(measure):
    transitions = np.repeat(IDEAL[None], 2, axis=0)
    transitions[1, 100] = transitions[1, 101]
    transitions[1, 30:33] = transitions[1, 33]
    none, some = measure(converter(transitions), 2, IDEAL, -128).missing
    assert none.size == 0
    np.testing.assert_array_equal(some, [30, 31, 32, 100])


@pytest.mark.parametrize("measure", [ramp, code_density])
@pytest.mark.parametrize("shift", [-9.5, 9.5])
def test_a_range_that_reaches_beyond_the_test_is_refused(measure, shift):
    transitions = np.stack([IDEAL, IDEAL + shift])
    with pytest.raises(UserError, match=r"converter 1 has .* beyond the test: raise the margin"):
        measure(converter(transitions), 2, IDEAL, -128)
    measured = measure(converter(transitions), 2, IDEAL, -128, margin=12.0)
    np.testing.assert_allclose(measured.offset, [0, shift], atol=0.05)


def test_enob_of_an_ideal_converter_is_its_bits():
    bits = enob(converter(IDEAL[None]), 1, -128.4, 127.4)
    assert bits[0] == pytest.approx(BITS, abs=0.05)


def test_enob_falls_with_noise_as_power_adds():
    noise = 0.7
    bits = enob(converter(IDEAL[None], noise), 1, -126.0, 126.0, samples=1 << 16)
    lost = np.log2(np.sqrt((1 / 12 + noise**2) * 12)) - np.log2(126 / 128)
    assert bits[0] == pytest.approx(BITS - lost, abs=0.03)


@pytest.mark.parametrize("samples", [64, 100, 1000, 4090, 4096, 4100, 5040])
def test_enob_does_not_depend_on_the_length_of_the_record(samples):
    """Any length: no sample of the record repeats, whatever divides it."""
    inl = 0.5 * np.sin(np.linspace(0, 40 * np.pi, 255))
    crooked = converter((IDEAL + inl)[None])
    bits = enob(crooked, 1, -127.0, 126.0, samples)[0]
    assert bits == pytest.approx(enob(crooked, 1, -127.0, 126.0, 1 << 16)[0], abs=0.2)
    assert bits < BITS - 0.3


def test_enob_needs_a_record():
    with pytest.raises(UserError, match=r"samples of a sine must be an integer of 64 .*, not 63"):
        enob(converter(IDEAL[None]), 1, -128, 127, 63)


def test_converters_that_cannot_be_measured_say_so_and_spoil_no_other():
    falling = np.stack([IDEAL, IDEAL[::-1]])
    measured = linearity(falling, IDEAL)
    assert measured.offset[0] == measured.gain[0] == 0
    assert np.isnan(
        [measured.offset[1], measured.gain[1], *measured.inl[1], *measured.dnl[1]]
    ).all()
    assert [codes.size for codes in measured.missing] == [0, 0]
    bits = enob(converter(np.stack([IDEAL, IDEAL + 300])), 2, -128, 127)
    assert bits[0] == pytest.approx(BITS, abs=0.1)
    assert np.isnan(bits[1])


def test_a_record_without_any_signal_has_no_bits():
    """Codes that follow the square of a sine have no part at its frequency."""
    bits = enob(lambda inputs: np.rint(inputs**2).astype(np.int64), 1, -8.0, 8.0)
    assert np.isnan(bits[0]) or bits[0] < -10
    assert np.isnan(enob(converter(IDEAL[None]), 1, 3.0, 3.0)[0])


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda c: ramp(c, 1, IDEAL, -128, samples=0), "samples per LSB must be .* of 1 to"),
        (lambda c: ramp(c, 1, IDEAL, -128, samples=2.5), "samples per LSB must be .*, not 2.5"),
        (lambda c: ramp(c, 1, IDEAL, -128, margin=-1), "margin must be a number .* not -1"),
        (lambda c: ramp(c, 1, IDEAL[:1], -128), "linearity needs at least two levels"),
        (
            lambda c: code_density(c, 1, IDEAL, -128, samples=1),
            "samples of a sine must be .* 64 to",
        ),
        (lambda c: code_density(c, 1, IDEAL, -128, margin=np.nan), "margin must be .* not nan"),
        (lambda c: enob(c, 1, np.nan, 3.0), "low end of the wave must be a number .* not nan"),
        (
            lambda c: enob(c, 1, 4.0, 3.0),
            r"high end of the wave must be a number of 4 to .*not 3.0",
        ),
        (lambda c: enob(c, 1, 0.0, 3.0, samples=True), "samples of a sine .* not True"),
        (
            lambda c: linearity(np.zeros((2, 3)), IDEAL),
            "levels must have the shape n x 255, not 2 x",
        ),
    ],
)
def test_what_no_measurement_can_be_is_refused(act, words):
    with pytest.raises(UserError, match=words):
        act(converter(IDEAL[None]))


@pytest.mark.parametrize("measure", [ramp, code_density])
def test_margins_and_steps_are_in_lsb_of_any_size(measure):
    """Six LSB of 4 are within a margin of eight."""

    def convert(inputs: np.ndarray) -> np.ndarray:
        return converter(np.stack([IDEAL, IDEAL + 6]))(inputs / 4)

    measured = measure(convert, 2, IDEAL * 4, -128)
    np.testing.assert_allclose(measured.offset, [0, 6], atol=0.05)
    np.testing.assert_allclose(measured.gain, 0, atol=0.001)


@pytest.mark.parametrize("measure", [ramp, code_density])
def test_measurements_need_no_margin_but_do_not_go_without_both_ends(measure):
    inside = np.stack([IDEAL * 0.9])
    measured = measure(converter(inside), 1, IDEAL, -128, margin=0.0)
    np.testing.assert_allclose(measured.gain, -0.1, atol=0.001)
    for word in (1e15 * (1 + 1e-15), -1e-300):
        with pytest.raises(UserError, match=r"margin must be a number of 0 to 1e\+15 LSB, not"):
            measure(converter(inside), 1, IDEAL, -128, margin=word)


def test_records_are_at_most_so_long():
    for act in (
        lambda samples: ramp(converter(IDEAL[None]), 1, IDEAL, -128, samples=samples),
        lambda samples: code_density(converter(IDEAL[None]), 1, IDEAL, -128, samples=samples),
        lambda samples: enob(converter(IDEAL[None]), 1, -128, 127, samples),
    ):
        with pytest.raises(UserError, match="to 16777216, not 16777217"):
            act((1 << 24) + 1)


def test_the_least_of_records_suffices():
    two = IDEAL[[0, 1]]
    measured = ramp(lambda inputs: 1 + (inputs >= two[0]) + (inputs >= two[1]), 1, two, 1, 1)
    np.testing.assert_allclose([measured.offset, measured.gain], 0, atol=0.5)
    assert enob(converter(IDEAL[None]), 1, -128, 127, 64)[0] > 7


def test_a_code_that_hardly_ever_comes_is_not_missing():
    dnl = np.array([[-1.0, -1 + 1e-9, -1 + 1.01e-9, -0.999, 0.0]])
    nothing = np.zeros(1)
    (missing,) = Linearity(nothing, nothing, np.zeros((1, 6)), dnl).missing
    assert missing.tolist() == [0, 1]


def test_levels_of_no_width_spoil_all_their_values_and_those_alone():
    measured = linearity(np.array([[0.5, 1.5, 2.5], [1.0, 2.0, 1.0]]), np.arange(3))
    assert measured.offset[0] == 0.5
    assert measured.gain[0] == 0
    assert np.isnan([measured.offset[1], measured.gain[1], *measured.inl[1]]).all()


def test_bits_follow_from_signal_to_noise_and_distortion():
    """A second harmonic of a hundredth of the wave is 40 dB: less 1.76, over 6.02."""

    def convert(inputs: np.ndarray) -> np.ndarray:
        sine = inputs / 1e6
        return np.rint(inputs + 1e4 * (2 * sine**2 - 1)).astype(np.int64)

    for samples in (64, 1000, 4096):
        bits = enob(convert, 1, -1e6, 1e6, samples)[0]
        assert bits == pytest.approx((40 - 1.76) / 6.02, abs=1e-3)


def test_a_record_has_about_a_tenth_as_many_periods_as_samples():
    seen = []

    def convert(inputs: np.ndarray) -> np.ndarray:
        seen.append(inputs[:, 0])
        return np.rint(inputs).astype(np.int64)

    for samples, periods in [(64, 7), (100, 11), (4096, 409), (1000, 101)]:
        enob(convert, 1, -100, 100, samples)
        spectrum = np.abs(np.fft.rfft(seen.pop()))
        assert spectrum.argmax() == periods
