"""Streams and keyed draws: apart from each other, reproducible, with the right distribution."""

import numpy as np
from scipy.stats import kstest

from golden.draws import Draw, keyed_normal, stream, tile_seed
from golden.machine.machine import blank_tile
from tests.support.configs import chip


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
    assert [kind.value for kind in Draw] == [*range(19)]


def test_no_seed_tile_kind_and_part_share_a_stream():
    """Seeds beyond 32 bits included, whose words must not be taken for a tile or a part."""
    seeds = [0, 1, 5, 5 + (3 << 32), 3 << 32, (1 << 63) - 1, 5 + (1 << 32), Draw.TILE << 32]
    owners = [(seed, seed) for seed in seeds]
    owners += [((seed, tile), tile_seed(seed, tile)) for seed in seeds for tile in range(16)]
    assert len({seed for _, seed in owners}) == len(seeds) * 17
    assert all(0 <= seed < 1 << 63 for _, seed in owners)
    draws = {
        (owner, kind, part): stream(seed, kind, *part).bit_generator.random_raw()
        for owner, seed in owners
        for kind in Draw
        for part in [(), (0,), (1,), (2,), (3,)]
    }
    assert len(set(draws.values())) == len(draws) == len(seeds) * 17 * len(Draw) * 5


def test_no_seed_tile_and_kind_share_keyed_draws():
    seeds = [0, 5, 5 + (3 << 32), (1 << 63) - 1]
    seeds += [tile_seed(seed, tile) for seed in seeds for tile in range(8)]
    draws = [keyed_normal(seed, kind, np.arange(20), 0) for seed in seeds for kind in Draw]
    assert len(np.unique(draws)) == len(seeds) * len(Draw) * 20


def test_machines_take_the_seeds_of_their_tiles_from_the_spawned_ones():
    """Tile 3 of seed 5 and tile 0 of seed 5 + (3 << 32) were once the same chip."""
    chips = [chip(seed=seed, drift_spread=0.1) for seed in (5, 5 + (3 << 32))]
    blanks = [blank_tile(config, tile) for config in chips for tile in range(4)]
    assert len({analog.config.physics.seed for analog in blanks}) == 8
    for analog in blanks:
        analog.array.cells.wait(1e6)
    assert len({analog.array.g_s.tobytes() for analog in blanks}) == 8
