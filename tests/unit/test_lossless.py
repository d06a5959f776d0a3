"""`ChipConfig.lossless` against products: exactly the configurations that lose nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.load import load
from tests.support.configs import chip, chips, full_width


@pytest.mark.parametrize(
    "config",
    [
        chip(
            rows=1,
            columns=1,
            adcs=1,
            cell_bits=1,
            slices=1,
            input_bits=1,
            dac_bits=1,
            adc_bits=2,
            accumulator_bits=2,
        ),
        load("digits", adc_bits=13, accumulator_bits=18),
        full_width(mapping="offset"),
    ],
    ids=["one cell", "digits", "offset"],
)
def test_lossless_as_narrow_as_can_be(config):
    """One bit less of the ADC, or of the accumulator where that leaves it as wide, loses."""
    assert config.lossless
    assert not config.replace(adc_bits=config.converter.adc_bits - 1).lossless
    narrow = next(
        bits
        for bits in range(config.converter.adc_bits, config.worst_result_bits + 1)
        if config.replace(accumulator_bits=bits).lossless
    )
    if narrow > config.converter.adc_bits:
        assert not config.replace(accumulator_bits=narrow - 1).lossless


@settings(max_examples=60)
@given(chips(most=3), st.integers(0, 2**32))
def test_lossless_says_whether_any_product_differs(config, seed):
    """Extremes are tried in every combination, and small numbers, in which rounding shows."""
    exact = True
    for transposed in (False, True) if config.transposable else (False,):
        inputs = config.direction(transposed).inputs
        rng = np.random.default_rng(seed)
        low, high = config.input_range
        vectors = np.concatenate(
            [
                np.full((1, inputs), low),
                np.full((1, inputs), high),
                np.clip(np.eye(inputs, dtype=np.int64) * -1, low, high),
                rng.integers(low, high, (20, inputs), endpoint=True),
            ]
        )
        shape = config.array.rows, config.array.columns
        low, high = config.weight_range
        for weights in (
            np.full(shape, low),
            np.full(shape, high),
            np.clip(np.ones(shape, np.int64), low, high),
            *rng.integers(low, high, (5, *shape), endpoint=True),
        ):
            tile = Tile(config, Analog.ideal(config, weights))
            results = tile.multiply(vectors, transposed=transposed).results
            exact &= np.array_equal(results, vectors @ (weights.T if transposed else weights))
    assert config.lossless == exact
