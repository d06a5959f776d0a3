"""Streams and keyed draws: apart from each other, reproducible, with the right distribution."""

import numpy as np
from scipy.stats import kstest

from golden.draws import Draw, keyed_normal, stream, tile_seed


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


def test_numbers_of_kinds_stay_what_they_are():
    """A chip of a seed is the same chip in every version."""
    assert [kind.value for kind in Draw] == [*range(13)]


def test_no_two_tiles_of_any_chips_share_a_seed():
    """Seeds beyond 32 bits included, whose words must not be taken for numbers of tiles."""
    seeds = [0, 1, 5, 5 + (3 << 32), 3 << 32, (1 << 63) - 1, 5 + (1 << 32)]
    found = {tile_seed(seed, tile) for seed in seeds for tile in range(64)}
    assert len(found) == 64 * len(seeds)
    assert found.isdisjoint(seeds)
    assert all(0 <= seed < 1 << 63 for seed in found)
    firsts = [stream(tile_seed(5, tile), kind).random() for tile in range(4) for kind in Draw]
    firsts += [stream(5, kind).random() for kind in Draw]
    assert len(set(firsts)) == len(firsts)
