"""Warnings about results: what they advise can be followed, and then they are gone."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import Diagnostics, diagnose
from golden.tile.tile import Products, Tile
from spec.config import ChipConfig
from tests.support.advice import changes
from tests.support.configs import chip, chips, random_operands

ERRORS = {
    "adc_offset": [0.0, 0.5, 8.0, 100.0],
    "adc_gain": [0.0, 0.2],
    "adc_inl": [0.0, 1.0, 100.0],
    "adc_dnl": [0.0, 1.0, 100.0],
    "sense_noise": [0.0, 1.0, 30.0, 1e6],
}


WHOLE_INPUTS = chip(columns=8, adcs=8, slices=1, dac_bits=4)
"""A chip that drives its inputs at once."""


@st.composite
def off(draw: st.DrawFn) -> ChipConfig:
    """Draw a configuration whose ADCs are off, by a little or far more than their range."""
    errors = {name: draw(st.sampled_from(sizes)) for name, sizes in ERRORS.items()}
    return draw(chips()).replace(**errors, seed=draw(st.integers(0, 9)), accumulator_bits=0)


def tile(config: ChipConfig, weights: np.ndarray) -> Tile:
    return Tile(config, Analog.programmed(config, weights))


def about(warnings: list[str], part: str, verb: str) -> list[str]:
    return [sentence for sentence in warnings if sentence.startswith(f"ADCs of {part} {verb} ")]


@given(off(), st.booleans(), st.data())
@settings(deadline=None, max_examples=40)
def test_advice_of_warnings_cures_them(config, transposed, data):
    transposed = transposed and config.transposable
    weights, vectors = random_operands(config, 6, transposed=transposed)
    step = st.integers(*config.step_range)
    steps = data.draw(st.lists(step, min_size=config.steps, max_size=config.steps))
    subject = tile(config, weights)
    products = subject.multiply(vectors, steps, transposed=transposed)
    warnings = diagnose(subject.analog, products).warnings()
    calibrated = calibrate(config, products.held, transposed=transposed)

    def after(config: ChipConfig, steps: np.ndarray) -> list[str]:
        # A fresh tile draws the same noise.
        subject = tile(config, weights)
        products = subject.multiply(vectors, steps, transposed=transposed)
        return diagnose(subject.analog, products).warnings()

    for s in range(config.steps):
        part = f"slice {s}" if s < config.array.slices else "the unit column"
        for verb in ("clip", "use"):
            for sentence in about(warnings, part, verb):
                if sentence.endswith(": calibrate their step"):
                    assert not about(after(config, calibrated), part, verb)
                    assert calibrated[s] != steps[s]
                    continue
                if sentence.endswith(" alone cures it"):
                    continue
                for change in changes(config, sentence):
                    other = config.replace(**change)
                    held = tile(other, weights).multiply(vectors, transposed=transposed).held
                    finest = calibrate(other, held, transposed=transposed)
                    assert not about(after(other, finest), part, verb)


@pytest.mark.parametrize("errors", [{"adc_offset": 8.0}, {"adc_offset": 100.0}])
def test_converters_far_off_get_advice_that_names_their_errors(errors):
    config = WHOLE_INPUTS.replace(rows=8, adc_bits=4, **errors)
    weights, vectors = random_operands(config, 20)
    subject = tile(config, weights)
    steps = calibrate(config, subject.multiply(vectors).held)
    found = diagnose(subject.analog, subject.multiply(vectors, steps))
    sentence = about(found.warnings(), "slice 0", "clip")[0]
    (name,) = errors
    assert f": lower {name} to " in sentence


def test_values_beyond_the_coarsest_step_are_not_told_to_calibrate():
    config = chip(sense_noise=1000.0)
    weights, vectors = random_operands(config, 20)
    subject = tile(config, weights)
    coarsest = [config.step_range[1]] * config.steps
    products = subject.multiply(vectors, coarsest)
    for s in range(config.steps):
        found = diagnose(subject.analog, products).warnings()
        (sentence,) = about(found, f"slice {s}", "clip")
        (change,) = changes(config, sentence)
        assert set(change) == {"adc_bits"}


def test_wires_are_named_that_take_the_current():
    config = WHOLE_INPUTS.replace(rows=32, adc_bits=9, r_bit_ohm=200.0, r_sense_ohm=1.0)
    subject = tile(config, np.full((32, 8), 3))
    found = diagnose(subject.analog, subject.multiply(np.ones((1, 32)))).warnings()
    assert found[-1].endswith(": lower r_bit_ohm or r_sense_ohm, or g_max_s")


def products_of(subject: Tile, held: np.ndarray, steps: int) -> Products:
    """Return products of held values [n, planes, converters, groups], of nothing else."""
    products = subject.multiply(np.zeros((len(held), subject.config.array.rows), int))
    steps_ = np.full_like(products.steps, steps)
    beyond = subject.analog.converters.beyond(held, steps_, transposed=False)
    codes = subject.analog.adcs(steps_).convert(held)
    return dataclasses.replace(products, codes=codes, held=held, beyond=beyond, steps=steps_)


def spread(config: ChipConfig, low: float, high: float, count: int = 100) -> np.ndarray:
    shape = count, config.planes, config.converters, config.forward.groups
    return np.linspace(low, high, count)[:, None, None, None] * np.ones(shape)


@pytest.mark.parametrize(("low", "high", "step"), [(-3, 10, 0), (0, 0, 0), (-64, 63, 0), (2, 9, 1)])
def test_range_in_use_is_the_share_of_codes_from_lowest_to_highest(low, high, step):
    config = chip(adc_bits=7)
    subject = tile(config, np.zeros((3, 4), int))
    products = products_of(subject, spread(config, low << step, high << step), step)
    found = diagnose(subject.analog, products)
    assert found.range_used.tolist() == [(high - low + 1) / 128] * config.steps


def test_shares_that_clip_are_told_apart():
    """One conversion of a hundred may clip; two are warned of, with the end at which it was."""
    config = chip(adc_bits=7)
    subject = tile(config, np.zeros((3, 4), int))
    for high, low in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (3, 4)]:
        held = spread(config, -50, 50)
        held[:high], held[100 - low :] = 70, -70
        found = diagnose(subject.analog, products_of(subject, held, 0))
        np.testing.assert_allclose(found.clipped_high, high / 100)
        np.testing.assert_allclose(found.clipped_low, low / 100)
        warnings = about(found.warnings(), "slice 0", "clip")
        assert len(warnings) == (high + low > 1)
        assert all(
            f"clip {high + low} % of their conversions ({high} % high, {low} % low)" in sentence
            for sentence in warnings
        )


def test_of_adcs_of_one_bit_code_zero_is_the_upper_end():
    config = chip(adc_bits=1)
    subject = tile(config, np.zeros((3, 4), int))
    held = spread(config, 0, 0)
    held[:3], held[96:] = 70, -70
    found = diagnose(subject.analog, products_of(subject, held, 0))
    np.testing.assert_allclose(found.clipped_high, 0.03)
    np.testing.assert_allclose(found.clipped_low, 0.04)


def test_clipping_that_another_step_cures_asks_for_no_other_converter():
    config = chip(adc_bits=6)
    assert config.step_range[1] >= 1
    subject = tile(config, np.zeros((3, 4), int))
    held = spread(config, -50, 50)
    found = diagnose(subject.analog, products_of(subject, held, 0))
    assert found.clip_advice == ("calibrate their step",) * config.steps
    assert diagnose(subject.analog, products_of(subject, held, 1)).clip_advice == ("", "")


def test_range_is_wasted_where_a_finer_step_would_not_clip():
    config = chip(adc_bits=6)
    subject = tile(config, np.zeros((3, 4), int))
    for largest, wasted in [(30, True), (50, False)]:
        found = diagnose(subject.analog, products_of(subject, spread(config, -largest, largest), 1))
        assert found.range_wasted.tolist() == [wasted] * config.steps


def test_advice_is_at_most_eight_bits_more():
    """Whose steps double with every bit of the values, beyond what steps there are."""
    config = chip(adc_bits=7)
    assert config.step_range == (0, 1)
    subject = tile(config, np.zeros((3, 4), int))

    def advice(reach: int) -> str:
        held = spread(config, -(1 << reach), (1 << reach) - 1)
        return diagnose(subject.analog, products_of(subject, held, 1)).clip_advice[0]

    assert advice(7) == ""
    # More bits have finer steps: all that there are is one.
    for more in range(1, 9):
        assert advice(7 + more) == f"raise adc_bits to {7 + more}"
    assert advice(16).endswith("alone cures it")


def test_advice_never_takes_bits_away():
    """One bit less has two more steps, the coarsest of which would hold the values."""
    config = chip(adc_bits=6)
    assert (config.step_range, config.replace(adc_bits=5).step_range) == ((0, 1), (0, 3))
    subject = tile(config, np.zeros((3, 4), int))
    found = diagnose(subject.analog, products_of(subject, spread(config, -100, 100), 1))
    assert found.clip_advice == ("raise adc_bits to 7",) * config.steps


@pytest.mark.parametrize(
    ("field", "limit", "beyond"),
    [
        ("range_used", 0.25, -1e-9),
        ("ir_drop", 0.1, 1e-9),
        # A cell of a hundred.
        ("failed", 1, 1),
    ],
)
def test_warnings_begin_beyond_their_limits(field, limit, beyond):
    def warnings(value: float) -> list[str]:
        fine = {
            "clipped_high": np.zeros(2),
            "clipped_low": np.zeros(2),
            "clip_advice": ("", ""),
            "range_used": np.ones(2),
            "range_wasted": np.ones(2, bool),
            "ir_drop": np.zeros((1, 100)),
            "resistances": ("r_word_ohm",),
            "failed": np.zeros((1, 10, 10), bool),
        }
        if field == "failed":
            fine[field].flat[: int(value)] = True
        else:
            fine[field].flat[1] = value
        return Diagnostics(**fine).warnings()

    assert warnings(limit) == []
    (sentence,) = warnings(limit + beyond)
    wanted = {
        "range_used": "ADCs of the unit column use 25 % of their codes: calibrate their step",
        "ir_drop": "wires take up to 10 % of a line's current (slice 0, line 1): lower r_word_ohm",
        "failed": "2 of 100 cells are more than half a level from their target",
    }
    assert sentence.startswith(wanted[field])
