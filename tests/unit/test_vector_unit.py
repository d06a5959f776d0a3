"""Arithmetic of the machine, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.machine.vector_unit import block_exponent, dot, map_words, round_shift
from spec.isa import WORD_RANGE, Opcode

LOW, HIGH = WORD_RANGE
WORDS = st.integers(LOW, HIGH) | st.sampled_from([LOW, LOW + 1, -1, 0, 1, HIGH])
VECTORS = st.lists(WORDS, max_size=9)


def rounded(value: int, amount: int) -> int:
    """Return value / 2**amount, rounded to the nearest, halves up."""
    return (2 * value + 2**amount) // 2 ** (amount + 1)


EXACT = {
    Opcode.VADD: lambda a, b, s, k: a + b,
    Opcode.VSUB: lambda a, b, s, k: a - b,
    Opcode.VMAX: lambda a, b, s, k: max(a, b),
    Opcode.VSCALE: lambda a, b, s, k: rounded(a * s, k),
    Opcode.VRELU: lambda a, b, s, k: max(a, 0),
}


def check(opcode, a, b, s, k, exact):
    words, saturations = map_words(opcode, np.array(a, np.int64), np.array(b, np.int64), s, k)
    assert words.tolist() == [min(max(x, LOW), HIGH) for x in exact]
    assert saturations == sum(not LOW <= x <= HIGH for x in exact)


@pytest.mark.parametrize("opcode", EXACT)
@given(pairs=st.lists(st.tuples(WORDS, WORDS), max_size=9), s=WORDS, k=st.integers(0, 63))
def test_words_are_exact_rounded_once_and_saturated(opcode, pairs, s, k):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    exact = [EXACT[opcode](x, y, s, k) for x, y in pairs]
    check(opcode, a, b, s, k, exact)


@given(a=VECTORS, k=st.integers(-31, 63))
def test_shifts_go_both_ways(a, k):
    check(Opcode.VSHIFT, a, a, 0, k, [rounded(x, k) if k >= 0 else x * 2**-k for x in a])


@given(a=VECTORS, bounds=st.tuples(WORDS, WORDS).map(sorted))
def test_clamping_counts_nothing(a, bounds):
    low, high = bounds
    check(Opcode.VCLAMP, a, a, low, high, [min(max(x, low), high) for x in a])


@given(st.integers(-(2**90), 2**90), st.integers(0, 99))
def test_sums_wider_than_64_bits_round_alike(value, amount):
    assert round_shift(np.array([value], object), amount)[0] == rounded(value, amount)


@given(VECTORS)
def test_block_exponent_is_the_smallest_that_covers_all(a):
    exponent = block_exponent(np.array(a, np.int64))
    assert all(-(2**exponent) <= x < 2**exponent for x in a)
    tighter = exponent - 1
    assert exponent == 0 or not all(-(2**tighter) <= x < 2**tighter for x in a)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=9))
def test_dot_products_are_exact(pairs):
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    assert dot(a, b) == sum(x * y for x, y in pairs)


def test_the_largest_dot_product_of_the_largest_memory_is_exact():
    a = np.full(1 << 16, LOW, np.int64)
    assert dot(a, a) == (LOW * LOW) << 16
