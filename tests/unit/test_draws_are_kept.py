"""A seed gives the same chip for ever: what each draw hangs on is written down once more."""

import numpy as np
import pytest
from scipy.special import ndtri

from golden.converter.statics import draw_statics
from golden.draws import Draw, _mix, keyed_normal, stream, tile_seed
from spec.config import ChipConfig
from tests.support.configs import chip

DRAWS = [
    *("STEP_GAIN", "STUCK", "CYCLE", "RELAXATION", "PROGRAM", "DRIFT", "READ_NOISE"),
    *("DAC_STATICS", "DAC_NOISE", "ADC_STATICS", "SENSE_NOISE", "VERIFY_NOISE", "TILE"),
    *("INV_DAC_STATICS", "INV_ADC_STATICS", "INV_DAC_NOISE", "INV_READ_NOISE"),
    *("AMPLIFIER_OFFSET", "AMPLIFIER_NOISE"),
]
MASK = (1 << 64) - 1


def split_mix(state: int) -> int:
    """Return the output of SplitMix64 for a state, by the reference implementation."""
    z = state + 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def test_kinds_of_draws_keep_their_numbers():
    assert {draw.name: draw.value for draw in Draw} == {name: n for n, name in enumerate(DRAWS)}


def test_bits_are_mixed_as_split_mix_does():
    """The first is the output that is published for this seed."""
    assert split_mix(1234567) == 6457827717110365317
    states = [1234567, 0, 1, MASK, 1 << 63, *np.random.default_rng(0).integers(0, 1 << 63, 20)]
    mixed = _mix(np.array(states, np.uint64)).tolist()
    assert mixed == [split_mix(int(state)) for state in states]


@pytest.mark.parametrize("draw", [Draw.CYCLE, Draw.VERIFY_NOISE])
def test_keyed_draws_hang_on_seed_kind_cell_and_count(draw):
    key = int(np.random.SeedSequence(7, spawn_key=(draw,)).generate_state(1, np.uint64)[0])
    for cell, count in [(0, 0), (1, 0), (0, 1), (12345, 678)]:
        bits = split_mix(split_mix(key + cell & MASK) + count & MASK)
        expected = ndtri(((bits >> 11) + 0.5) / 2**53)
        assert keyed_normal(7, draw, cell, count).item() == expected


def test_tiles_have_seeds_of_63_bits():
    sequence = np.random.SeedSequence(5, spawn_key=(Draw.TILE, 3))
    assert tile_seed(5, 3) == int(sequence.generate_state(1, np.uint64)[0]) >> 1
    assert max(tile_seed(5, tile) for tile in range(64)) >> 62


def normal(config: ChipConfig, draw: Draw, part: int, shape: tuple[int, int]) -> np.ndarray:
    return stream(config.physics.seed, draw, part).standard_normal(shape)


@pytest.mark.parametrize("side", ["dac", "adc"])
def test_errors_of_converters_are_drawn_each_from_a_part_of_its_own(side):
    """Offset, gain, bow and mismatch: from the first, second, third and fourth."""
    bits = 5
    config = chip(input_bits=bits, dac_bits=bits, adc_bits=bits, seed=9)
    draw = {"dac": Draw.DAC_STATICS, "adc": Draw.ADC_STATICS}[side]
    count = {"dac": config.drive_lines, "adc": config.converters}[side]
    codes = np.arange(1 << bits)
    u = codes / 31

    def drawn(name: str) -> tuple[np.ndarray, np.ndarray]:
        statics = draw_statics(config.replace(**{f"{side}_{name}": 0.1}), side)
        assert statics.deviation.shape == (count, 1 << bits)
        return statics.gain, statics.deviation

    gain, deviation = drawn("offset")
    np.testing.assert_allclose(deviation, 0.1 * normal(config, draw, 0, (count, 1)) + 0 * u)
    assert (gain == 1).all()
    gain, deviation = drawn("gain")
    np.testing.assert_allclose(gain, 1 + 0.1 * normal(config, draw, 1, (count, 1))[:, 0])
    assert not deviation.any()
    first, second = normal(config, draw, 2, (count, 2)).T
    bow = np.outer(first, np.sin(np.pi * u)) + np.outer(second, np.sin(2 * np.pi * u)) / 2
    np.testing.assert_allclose(drawn("inl")[1], 0.1 * bow, atol=1e-12)
    mismatch = np.zeros((count, 1 << bits))
    for bit, each in enumerate(normal(config, draw, 3, (count, bits)).T):
        capacitor = np.where(codes >> bit & 1, 1.0, 0.0) - u * 1.0
        # As much as its share of all capacitors, of which the sum is what the end says.
        mismatch += np.outer(each * np.sqrt(2.0**bit / 31), capacitor)
    np.testing.assert_allclose(drawn("dnl")[1], 0.1 * mismatch, atol=1e-12)
