"""Streams and keyed draws: apart from each other, reproducible, with the right distribution."""

import numpy as np
from scipy.stats import kstest

from golden.draws import Draw, keyed_normal, stream


def test_streams_of_kinds_and_seeds_differ_and_repeat():
    draws = {
        (seed, kind): tuple(stream(seed, kind).standard_normal(4))
        for seed in (0, 1)
        for kind in Draw
    }
    assert len(set(draws.values())) == 2 * len(Draw)
    assert tuple(stream(1, Draw.STUCK).standard_normal(4)) == draws[1, Draw.STUCK]


def test_keyed_draws_depend_on_seed_kind_cell_and_count_alone():
    cells, counts = np.arange(50)[:, None], np.arange(40)
    together = keyed_normal(3, Draw.CYCLE, cells, counts)
    one_by_one = [[keyed_normal(3, Draw.CYCLE, c, n) for n in range(40)] for c in range(50)]
    np.testing.assert_array_equal(together, one_by_one)
    others = [
        keyed_normal(4, Draw.CYCLE, cells, counts),
        keyed_normal(3, Draw.STUCK, cells, counts),
    ]
    assert len(np.unique([together, *others])) == 3 * 50 * 40


def test_keyed_draws_are_normal_and_independent():
    draws = keyed_normal(0, Draw.CYCLE, np.arange(400)[:, None], np.arange(300))
    assert kstest(draws.ravel(), "norm").pvalue > 1e-3
    for left, right in [(draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1])]:
        assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 4 / np.sqrt(left.size)
