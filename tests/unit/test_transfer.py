"""Transfer of converters, measured from outside, against their parameters."""

import numpy as np
import pytest

from golden.converter.adc import AdcErrors, Adcs
from golden.converter.dac import Dacs
from golden.converter.statics import draw_statics
from spec.config import ChipConfig
from tests.support.configs import chip

LINES = 600


def dacs(**errors: float) -> tuple[np.ndarray, np.ndarray]:
    """Return codes [n], and the voltages [n, lines] of many DACs in DAC steps."""
    config = chip(rows=LINES, columns=1, adcs=1, input_bits=5, dac_bits=5, seed=3, **errors)
    codes = np.arange(*config.code_range)
    return codes, Dacs(config).settled(np.repeat(codes[:, None], config.drive_lines, axis=1))


def lines_through(codes: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and value at code 0 of the best line through the voltages of each DAC."""
    slope, offset = np.polyfit(codes, volts, 1)
    np.testing.assert_allclose(volts, codes[:, None] * slope + offset, atol=1e-9)
    return slope, offset


def test_gain_of_dacs_turns_their_transfer_about_code_zero():
    slope, offset = lines_through(*dacs(dac_gain=0.1))
    np.testing.assert_allclose(offset, 0, atol=1e-9)
    assert slope.mean() == pytest.approx(1, abs=0.02)
    assert slope.std() == pytest.approx(0.1, rel=0.1)


def test_offset_of_dacs_moves_all_codes_by_so_many_lsb():
    slope, offset = lines_through(*dacs(dac_offset=0.4))
    np.testing.assert_allclose(slope, 1, atol=1e-9)
    assert abs(offset.mean()) < 0.06
    assert offset.std() == pytest.approx(0.4, rel=0.1)


def test_errors_of_dacs_add_up():
    codes, gained = dacs(dac_gain=0.1)
    _, moved = dacs(dac_offset=0.4)
    _, both = dacs(dac_gain=0.1, dac_offset=0.4)
    np.testing.assert_allclose(both, gained + moved - codes[:, None], atol=1e-9)


def test_noise_of_dacs_is_in_lsb_and_new_for_each_plane():
    config = chip(rows=LINES, columns=1, adcs=1, input_bits=5, dac_bits=5, dac_noise=0.3)
    drive = Dacs(config).drive(np.full((50, LINES), 7)) - 7
    assert drive.std() == pytest.approx(0.3, rel=0.03)
    assert abs(drive.mean()) < 0.01
    assert abs(np.corrcoef(drive[0], drive[1])[0, 1]) < 0.2


def adc_config(**errors: float) -> ChipConfig:
    return chip(columns=200, adcs=200, slices=1, adc_bits=5, seed=4, **errors)


def transitions(config: ChipConfig, step: int) -> np.ndarray:
    """Return the held values [adcs, codes] at which codes change, found by bisection."""
    errors = AdcErrors(draw_statics(config, "adc"))
    adc = np.arange(config.converters)
    adcs = Adcs(config.converter.adc_bits, np.full(len(adc), step), errors, adc)
    codes = np.arange(adcs.low + 1, adcs.high + 1)
    low = np.full((len(codes), len(adc)), -1e4)
    high = -low
    for _ in range(60):
        middle = (low + high) / 2
        reached = adcs.convert(middle) >= codes[:, None]
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high.T


@pytest.mark.parametrize("step", [0, 3])
@pytest.mark.parametrize("name", ["adc_gain", "adc_offset"])
def test_errors_of_adcs_move_their_transitions(name, step):
    """They move by so many LSB at the present step, upwards if positive; a gain turns about 0."""
    size = {"adc_gain": 0.02, "adc_offset": 0.4}[name]
    ideal = transitions(adc_config(), step)[0]
    config = adc_config(**{name: size})
    found, drawn = transitions(config, step), AdcErrors(draw_statics(config, "adc"))
    moved = found - ideal
    if name == "adc_gain":
        np.testing.assert_allclose(moved, (drawn.gain[:, None] - 1) * ideal, atol=1e-6)
        share = moved[:, 0] / ideal[0]
    else:
        lsb = 2.0**step
        np.testing.assert_allclose(moved, drawn.deviation[:, 1:-1] * lsb, atol=1e-6)
        np.testing.assert_allclose(moved, moved[:, :1] * np.ones(moved.shape[1]), atol=1e-6)
        share = moved[:, 0] / lsb
    assert share.std() == pytest.approx(size, rel=0.15)
    assert abs(share.mean()) < 0.25 * size


def test_inl_of_adcs_moves_transitions_by_so_many_lsb():
    config = adc_config(adc_inl=0.2)
    moved = transitions(config, 1) - transitions(adc_config(), 1)
    np.testing.assert_allclose(
        moved, AdcErrors(draw_statics(config, "adc")).deviation[:, 1:-1] * 2, atol=1e-6
    )
    assert (moved[:, 15] / 2).std() == pytest.approx(0.2, rel=0.15)
