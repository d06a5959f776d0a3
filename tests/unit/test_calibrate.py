"""ADC steps from data, and what is said about results."""

import numpy as np
import pytest

from golden.array.lines import Array
from golden.converter.adc import AdcErrors
from golden.converter.linearity import linearity, ramp
from golden.converter.statics import draw_statics
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import diagnose, failed_cells, ir_drop
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from spec.config import ChipConfig
from spec.errors import UserError
from spec.physics import Physics
from tests.support import configs


def chip(mapping: str = "differential", **physics: float) -> ChipConfig:
    return configs.chip(rows=32, columns=8, adcs=4, dac_bits=4, mapping=mapping, **physics)


def tile(config: ChipConfig) -> Tile:
    rng = np.random.default_rng(0)
    low, high = config.weight_range
    weights = rng.integers(low, high, (config.array.rows, config.array.columns), endpoint=True)
    return Tile(config, Analog.programmed(config, weights))


VECTORS = np.random.default_rng(1).integers(-8, 8, (40, 32))


@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_steps_are_the_finest_that_do_not_clip(mapping):
    subject = tile(chip(mapping))
    steps = calibrate(subject.config, subject.multiply(VECTORS).held)
    assert steps.shape == (subject.config.steps,) and steps.max() > 0
    products = subject.multiply(VECTORS, steps)
    assert not (products.clips_high + products.clips_low).any()
    for s in np.flatnonzero(steps):
        finer = steps - (np.arange(len(steps)) == s)
        clipped = diagnose(subject.analog, subject.multiply(VECTORS, finer))
        share = clipped.clipped_high + clipped.clipped_low
        assert share[s] > 0 and np.delete(share, s).sum() == 0


def test_a_percentile_clips_no_more_than_it_allows():
    subject = tile(chip())
    held = subject.multiply(VECTORS).held
    steps = calibrate(subject.config, held, 80)
    found = diagnose(subject.analog, subject.multiply(VECTORS, steps))
    share = found.clipped_high + found.clipped_low
    assert (steps < calibrate(subject.config, held)).any()
    assert 0 < share.max() <= 0.2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.ones((2, 3)),), "held values must have the shape"),
        ((np.ones((0, 1, 8, 2)),), "held values must have the shape"),
        ((np.full((8, 2), np.nan),), "held values must be finite"),
        ((np.ones((8, 2)), 101), "percentile must be"),
    ],
)
def test_calibration_refuses_what_it_cannot_use(arguments, words):
    with pytest.raises(UserError, match=words):
        calibrate(chip(), *arguments)


def test_clips_are_counted_by_slice_and_end():
    subject = tile(chip())
    steps = np.array([0, 3])
    products = subject.multiply(VECTORS, steps)
    found = diagnose(subject.analog, products)
    held = products.held.reshape(-1, 2, 8)
    np.testing.assert_allclose(found.clipped_high, [(held[:, 0] > 63.5).mean(), 0])
    np.testing.assert_allclose(found.clipped_low, [(held[:, 0] < -64.5).mean(), 0])
    assert found.clipped_high[0] > 0.01
    assert any("slice 0 clip" in sentence for sentence in found.warnings())
    assert not any("slice 1" in sentence for sentence in found.warnings())


def test_a_range_that_is_hardly_used_is_reported():
    subject = tile(chip())
    steps = np.array([6, 6])
    found = diagnose(subject.analog, subject.multiply(VECTORS, steps))
    assert (found.range_used < 0.25).all()
    assert [s for s in found.warnings() if "slice 1 use" in s]
    small = VECTORS // 8
    found = diagnose(subject.analog, subject.multiply(small, [0, 6]))
    assert [s for s in found.warnings() if "use" in s] == [
        s for s in found.warnings() if "slice 1 use" in s
    ], "there is no finer step than 0"


def test_ir_drop_of_a_single_cell_is_a_voltage_divider():
    config = chip().replace(rows=1, columns=1, adcs=1, slices=1)
    physics = Physics.of(r_driver_ohm=300.0, r_sense_ohm=200.0)
    array = Array(config.replace(physics=physics), [[[20e-6, 0.0]]])
    loss = ir_drop(array)[0]
    assert loss[0] == pytest.approx(500 / (500 + 1 / 20e-6), rel=1e-4)
    assert loss[1] == 0


def test_ir_drop_is_zero_without_wires_and_warned_of_when_large():
    assert np.abs(ir_drop(tile(chip()).analog.array)).max() < 1e-9
    subject = tile(chip(r_bit_ohm=200.0))
    found = diagnose(subject.analog, subject.multiply(VECTORS))
    assert found.ir_drop.max() > 0.1
    assert any(sentence.startswith("wires take up to") for sentence in found.warnings())


def test_failed_cells_are_those_half_a_level_off():
    config = chip(stuck_high=0.1)
    subject = tile(config)
    weights = np.random.default_rng(0).integers(*config.weight_range, (32, 8), endpoint=True)
    levels = cell_levels(config, slice_weights(config, weights))
    cells = subject.analog.array.cells
    failed = failed_cells(subject.analog.array, levels)
    np.testing.assert_array_equal(failed, cells.stuck & (levels < 3))
    found = diagnose(subject.analog, subject.multiply(VECTORS), levels)
    assert f"{failed.sum()} of {failed.size} cells" in found.warnings()[-1]


def test_a_sound_result_gives_no_warning():
    subject = tile(chip(read_noise=0.01, r_bit_ohm=1.0))
    steps = calibrate(subject.config, subject.multiply(VECTORS).held * 1.1)
    assert diagnose(subject.analog, subject.multiply(VECTORS, steps)).warnings() == []


def test_measuring_the_model_recovers_its_own_errors():
    config = chip(adc_offset=1.0, adc_gain=0.02, adc_inl=0.5, adc_dnl=0.3, seed=2)
    adcs = Analog(config, Array(config)).adcs(np.zeros(config.steps, np.int64))
    errors = AdcErrors(draw_statics(config, "adc"))
    ideal = np.arange(-63, 64) - 0.5
    expected = linearity(errors.gain[:, None] * ideal + errors.deviation[:, 1:-1], ideal)
    measured = ramp(adcs.convert, config.converters, ideal, -64, samples=200)
    np.testing.assert_allclose(measured.offset, expected.offset, atol=0.003)
    np.testing.assert_allclose(measured.inl, expected.inl, atol=0.01)
    assert np.abs(expected.inl).max() > 0.3
