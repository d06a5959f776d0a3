"""The model of a tile against integers: NumPy where nothing is lost, else Python itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.errors import UserError
from tests.support.configs import (
    SINGLE,
    chip,
    chips,
    extreme_operands,
    extreme_vectors,
    full_width,
    integer_tile,
    random_operands,
)


def multiply(config, weights, vectors, steps=None):
    return Tile(config, Analog.ideal(config, weights)).multiply(vectors, steps)


def check_exact(config, weights, vectors):
    products = multiply(config, weights, vectors)
    np.testing.assert_array_equal(products.results, vectors @ weights)
    assert products.results.dtype == np.int64
    for lost in (products.clips_high, products.clips_low, products.saturations):
        np.testing.assert_array_equal(lost, np.zeros(len(vectors)))


@pytest.mark.parametrize("rows, columns", [(8, 8), (64, 64), (48, 10), (128, 128), (7, 1), (1, 6)])
@pytest.mark.parametrize("cell_bits, slices", [(1, 6), (2, 4), (3, 3)])
@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_lossless_product_is_exact(rows, columns, cell_bits, slices, mapping):
    """Whatever the bits applied at once and the sharing of ADCs."""
    several = next(n for n in (4, 5, 3, 1) if columns % n == 0)
    matrix = {"rows": rows, "columns": columns, "cell_bits": cell_bits, "slices": slices}
    for dac_bits, adcs in [(1, 1), (2, columns), (5, several), (6, columns)]:
        inputs = {"input_bits": 6, "dac_bits": dac_bits}
        config = full_width(**matrix, **inputs, adcs=adcs, mapping=mapping)
        weights, vectors = random_operands(config, 4, seed=dac_bits)
        check_exact(config, weights, np.concatenate([extreme_vectors(config), vectors]))


@pytest.mark.parametrize("rows, columns", [(8, 8), (64, 64), (48, 10), (128, 128)])
@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_lossless_product_of_extremes_is_exact(rows, columns, mapping):
    config = full_width(rows=rows, columns=columns, cell_bits=3, mapping=mapping, adcs=2)
    for _, weights, vectors in extreme_operands(config):
        check_exact(config, weights, vectors)


@pytest.mark.parametrize("preset_like", [{"dac_bits": 4}, {"dac_bits": 24, "slices": 1}])
def test_wide_operands_are_exact(preset_like):
    """24 bits by 24 bits, and sums of 31 bits in one conversion."""
    fields = {"rows": 8, "columns": 8, "cell_bits": 3, "slices": 8, "input_bits": 24}
    config = full_width(**fields | preset_like)
    for _, weights, vectors in extreme_operands(config):
        check_exact(config, weights, vectors)
    check_exact(config, *random_operands(config, 20))


@given(chips(lossless=True), st.integers(0, 2**32))
def test_any_lossless_product_is_exact(config, seed):
    assert config.lossless
    check_exact(config, *random_operands(config, 3, seed))


@given(chips(), st.data())
def test_any_product_is_what_integers_predict(config, data):
    """Rounding, clipping and saturation included, at any step."""
    weights, vectors = random_operands(config, 3, data.draw(st.integers(0, 2**32)))
    step = st.integers(0, min(config.step_range[1], config.forward.covering_step + 2))
    steps = data.draw(st.lists(step, min_size=config.steps, max_size=config.steps))
    products = multiply(config, weights, vectors, steps)
    expected = integer_tile(config, weights, vectors, steps)
    assert products.results.tolist() == expected.results
    assert products.clips_high.sum() == expected.clips_high
    assert products.clips_low.sum() == expected.clips_low
    assert products.saturations.sum() == expected.saturations


def test_the_default_step_rounds_and_never_clips():
    config = chip(rows=16, cell_bits=3, slices=2, adc_bits=6)
    weights, vectors = random_operands(config, 50)
    products = multiply(config, weights, vectors)
    steps = [config.forward.covering_step] * config.steps
    expected = integer_tile(config, weights, vectors, steps)
    assert products.results.tolist() == expected.results
    assert products.clips_high.sum() == products.clips_low.sum() == 0
    # Each code is off by half a step at most.
    off = np.abs(products.results - vectors @ weights).max()
    places = sum(8**s for s in range(2)) * sum(4**p for p in range(2))
    assert 0 < off <= 2 ** (config.forward.covering_step - 1) * places


def test_clips_are_counted_high_and_low_for_each_product():
    config = chip(rows=4, columns=2, cell_bits=1, slices=1, input_bits=3, dac_bits=3, adc_bits=2)
    weights = np.array([[1, -1]] * 4)
    products = multiply(config, weights, [[3] * 4, [-4] * 4, [0, 0, 0, 1], [0, 0, 0, 2]], [0])
    assert products.results.tolist() == [[1, -2], [-2, 1], [1, -1], [1, -2]]
    assert products.clips_high.tolist() == [1, 1, 0, 1]
    assert products.clips_low.tolist() == [1, 1, 0, 0]


def test_saturation_clamps_after_every_plane_and_is_counted():
    """The first plane exceeds the range; the second could bring the sum back, but comes later."""
    config = SINGLE.replace(cell_bits=1, adc_bits=4, accumulator_bits=4)
    products = multiply(config, [[1]], [[7], [-8], [1], [-5]])
    # -8 is -2 * 4 + 0: fits. -5 is -2 * 4 + 3.
    assert products.results.tolist() == [[7], [-8], [1], [-5]]
    wide = config.replace(rows=2)
    products = multiply(wide, [[1], [1]], [[7, 7], [-8, -8], [-8, 3]])
    assert products.results.tolist() == [[7], [-8], [-5]]
    assert products.saturations.tolist() == [1, 1, 0]


def test_steps_may_differ_between_products_and_slices():
    config = chip(adc_bits=4, mapping="offset")
    weights, vectors = random_operands(config, 6)
    rng = np.random.default_rng(3)
    steps = rng.integers(0, config.forward.covering_step, (6, config.steps), endpoint=True)
    products = multiply(config, weights, vectors, steps)
    for i in range(6):
        expected = integer_tile(config, weights, vectors[i : i + 1], steps[i].tolist())
        assert products.results[i].tolist() == expected.results[0]


def test_a_batch_is_its_products_one_by_one():
    config = chip(adc_bits=4)
    weights, vectors = random_operands(config, 9)
    batch = multiply(config, weights, vectors)
    for i in range(9):
        alone = multiply(config, weights, vectors[i : i + 1])
        for name in ("results", "codes", "held", "clips_high", "clips_low", "saturations"):
            np.testing.assert_array_equal(getattr(batch, name)[i], getattr(alone, name)[0])


def test_no_vectors_are_no_products():
    config = chip()
    weights, _ = random_operands(config, 1)
    assert multiply(config, weights, np.empty((0, 3))).results.shape == (0, 4)


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize("bent", [0.0, 2.0])
def test_no_vectors_are_no_products_under_any_physics(mapping, bent):
    faults = {"r_word_ohm": 2, "read_noise": 0.02, "dac_noise": 0.1, "dac_inl": 0.1}
    faults |= {"adc_offset": 0.5, "adc_gain": 0.01, "sense_noise": 0.5, "drift": 0.1}
    config = chip(mapping=mapping, nonlinearity=bent, **faults)
    tile = Tile(config, Analog.programmed(config, random_operands(config, 1)[0]))
    products = tile.multiply(np.zeros((0, 3)))
    assert products.results.shape == (0, 4)
    assert products.codes.shape[0] == products.clips_high.size == products.saturations.size == 0
    if mapping == "differential":
        assert tile.multiply(np.zeros((0, 4)), transposed=True).results.shape == (0, 3)


@pytest.mark.parametrize(
    "steps, message",
    [
        ([0, 8], r"steps\[1\] must be an integer of 0 to 7, not 8"),
        ([[0, 0], [-1, 0]], r"steps\[1, 0\] must be an integer of 0 to 7, not -1"),
        ([0.5, 0], r"steps\[0\] must be an integer of 0 to 7, not 0.5"),
        ([0, np.nan], r"steps\[1\] must be an integer of 0 to 7, not nan"),
        ([0, 0, 0], "steps must have the shape 2, not 3"),
        (0, "steps must have the shape 2, not that of a single value"),
        ([[0, 0]], "steps must have the shape 2 x 2, not 1 x 2"),
        ([[0, 0], [0]], "steps must have the shape 2 x 2, but have lines of different lengths"),
    ],
)
def test_bad_steps_are_refused_with_place_value_and_range(steps, message):
    config = chip(adc_bits=2)
    assert config.step_range == (0, 7)
    weights, vectors = random_operands(config, 2)
    with pytest.raises(UserError, match=f"^{message}$"):
        multiply(config, weights, vectors, steps)
