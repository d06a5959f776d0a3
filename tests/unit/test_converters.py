"""ADCs and DACs with errors: the search, the draws, the noise."""

import numpy as np
import pytest

from golden.array.lines import Array
from golden.converter.adc import AdcErrors, Adcs
from golden.converter.dac import Dacs
from golden.converter.statics import draw_statics
from golden.tile.analog import Analog
from spec.config import ChipConfig
from spec.errors import UserError
from spec.physics import Physics
from tests.support import configs

BAD_ADCS = {"adc_offset": 2.0, "adc_gain": 0.02, "adc_inl": 3.0, "adc_dnl": 4.0}


def chip(adc_bits: int = 8, mapping: str = "differential", **physics: float) -> ChipConfig:
    fields = {"adc_bits": adc_bits, "mapping": mapping, **physics}
    return configs.chip(rows=16, columns=12, adcs=4, input_bits=6, dac_bits=3, **fields)


def search(adcs: Adcs, held: np.ndarray) -> np.ndarray:
    """Return the codes of a plain successive approximation that asks `above` alone."""
    code = np.full(held.shape, adcs.low)
    bit = -adcs.low
    while bit:
        code = np.where(adcs.above(held, code + bit), code + bit, code)
        bit //= 2
    return code


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize("bits", [1, 2, 5, 8, 11])
def test_conversion_is_what_the_search_finds(bits, mapping):
    config = chip(bits, mapping, seed=bits, **BAD_ADCS)
    analog = Analog(config, Array(config))
    rng = np.random.default_rng(0)
    steps = rng.integers(0, config.step_range[1], (50, config.steps), endpoint=True)
    adcs = analog.adcs(steps)
    shape = (50, config.planes, config.converters, config.forward.groups)
    reach = np.ldexp(0.6, bits + np.repeat(steps, [4, 4, 1][: config.steps], axis=1))
    held = rng.uniform(-1, 1, shape) * reach[:, None, :, None]
    # Values on thresholds, where a difference of one rounding would show.
    trial = rng.integers(adcs.low, adcs.high, shape, endpoint=True)
    edge = adcs.threshold(trial)
    for values in (held, edge, np.nextafter(edge, -np.inf)):
        codes = adcs.convert(values)
        np.testing.assert_array_equal(codes, search(adcs, values))
        assert codes.min() >= adcs.low and codes.max() <= adcs.high


def test_some_thresholds_of_the_search_above_were_out_of_order():
    config = chip(seed=8, **BAD_ADCS)
    step = np.zeros(config.converters, np.int64)
    adcs = Adcs(
        config.converter.adc_bits,
        step,
        AdcErrors(draw_statics(config, "adc")),
        np.arange(config.converters),
    )
    levels = adcs.threshold(np.arange(-128, 129)[:, None])
    assert (np.diff(levels, axis=0) < 0).any()
    ladder = AdcErrors(draw_statics(config, "adc")).ladder(0)
    assert (np.diff(ladder, axis=1) >= 0).all()


def test_one_group_alone_sees_the_same_adcs():
    config = chip(seed=3, **BAD_ADCS)
    analog = Analog(config, Array(config))
    steps = np.array([3, 1])
    held = np.random.default_rng(0).normal(0, 300, (config.converters, config.forward.groups))
    together = analog.adcs(steps[None])
    alone = analog.adcs(steps)
    for group in range(config.forward.groups):
        values = held[:, group]
        for method in ("convert", "beyond"):
            np.testing.assert_array_equal(
                getattr(together, method)(held[None, None])[0, 0, :, group],
                getattr(alone, method)(values),
            )
        np.testing.assert_array_equal(search(alone, values), alone.convert(values))


def test_adc_errors_have_their_sizes_and_are_drawn_for_each_adc():
    config = chip(10, seed=1, adc_offset=1.5, adc_gain=0.01).replace(columns=800, adcs=800)
    errors = AdcErrors(draw_statics(config, "adc"))
    offset, gain = errors.deviation[:, 0], errors.gain - 1
    few = 4 / np.sqrt(len(gain))
    assert offset.std() == pytest.approx(1.5, rel=few)
    assert gain.std() == pytest.approx(0.01, rel=few)
    assert abs(np.corrcoef(offset, gain)[0, 1]) < few
    assert abs(np.corrcoef(gain[1:], gain[:-1])[0, 1]) < few
    np.testing.assert_array_equal(errors.deviation, np.repeat(offset[:, None], 1025, axis=1))
    again = AdcErrors(draw_statics(config, "adc"))
    np.testing.assert_array_equal(gain, again.gain - 1)
    reseeded = config.replace(physics=Physics.of(seed=2, adc_gain=0.01))
    assert abs(np.corrcoef(gain, AdcErrors(draw_statics(reseeded, "adc")).gain)[0, 1]) < few


def test_inl_and_dnl_have_the_sizes_that_they_are_defined_by():
    for name, at in [
        ("adc_inl", lambda d: d[:, 511:513].mean(axis=1)),
        ("adc_dnl", lambda d: d[:, 512] - d[:, 511]),
    ]:
        config = chip(10, **{name: 0.7}).replace(columns=800, adcs=800)
        deviation = AdcErrors(draw_statics(config, "adc")).deviation
        few = 4 / np.sqrt(len(deviation))
        assert at(deviation).std() == pytest.approx(0.7, rel=few)
        assert np.abs(deviation[:, [0, 1023]]).max() < 1e-12
        assert abs(np.corrcoef(at(deviation)[1:], at(deviation)[:-1])[0, 1]) < few


def test_dac_errors_are_drawn_for_each_line_and_noise_for_each_plane():
    config = chip(dac_offset=0.2, dac_gain=0.02, dac_noise=0.1, seed=4).replace(rows=1000)
    high = config.code_range[1]
    codes = np.stack([np.zeros(1000), np.full(1000, high), np.full(1000, high)]).astype(int)
    zero, top, again = Dacs(config).drive(codes)
    few = 4 / np.sqrt(1000)
    noise = (top - again) / np.sqrt(2)
    assert noise.std() == pytest.approx(0.1, rel=few)
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < few
    still = Dacs(config.replace(physics=Physics.of(dac_offset=0.2, seed=4)))
    assert still.drive(codes)[0].std() == pytest.approx(0.2, rel=few)
    assert zero.std() == pytest.approx(np.hypot(0.2, 0.1), rel=few)
    slope = (top + again) / 2 - zero - high
    assert slope.std() == pytest.approx(np.hypot(0.02 * high, 0.1 * np.sqrt(1.5)), rel=few)
    np.testing.assert_array_equal(Dacs(config).drive(codes), [zero, top, again])


@pytest.mark.parametrize("name", ["dac_inl", "dac_dnl"])
def test_dacs_bend_by_their_own_curves(name):
    config = chip(**{name: 0.3}).replace(rows=500)
    codes = np.arange(-8, 8)
    error = np.stack([Dacs(config).drive(np.full((1, 500), code))[0] - code for code in codes])
    np.testing.assert_allclose(error[[0, -1]], 0, atol=1e-12)
    assert error.std() > 0.05
    assert abs(np.corrcoef(error[4, 1:], error[4, :-1])[0, 1]) < 4 / np.sqrt(500)


def test_converters_with_tables_too_large_are_refused():
    with pytest.raises(UserError, match=r"lower adc_bits to 21 or adc_inl to 0$"):
        config = chip(28, adc_inl=1.0)
        Analog(config, Array(config))


def test_dacs_beyond_all_reason_are_refused():
    with pytest.raises(UserError, match="errors of the DACs reach"):
        Array(chip(dac_offset=20.0))
