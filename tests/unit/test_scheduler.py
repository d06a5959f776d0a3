"""Products are spread over tiles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from golden.machine.scheduler import block_weights, blocks, product_cycles, rounds
from spec.load import load

CONFIG = load("digits", rows=3, columns=2, adcs=1, tiles=3)
SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@given(SHAPES, st.integers(0, 2))
def test_blocks_cover_every_weight_once(shape, first):
    placed = list(blocks(CONFIG, *shape, first))
    assert [block.number for block in placed] == list(range(-(-shape[0] // 3) * -(-shape[1] // 2)))
    covered = np.zeros(shape, int)
    for block in placed:
        covered[block.rows, block.columns] += 1
    assert (covered == 1).all()


@given(SHAPES, st.integers(0, 2))
def test_no_tile_has_two_blocks_of_a_round(shape, first):
    batches = list(rounds(CONFIG, *shape, first))
    assert [b for batch in batches for b in batch] == list(blocks(CONFIG, *shape, first))
    for batch in batches:
        tiles = [block.tile for block in batch]
        assert tiles == [(first + block.number) % 3 for block in batch]
        assert len(set(tiles)) == len(tiles)
    assert all(len(batch) == 3 for batch in batches[:-1])


def test_row_blocks_of_a_column_block_follow_each_other():
    placed = list(blocks(CONFIG, 7, 3, 0))
    corners = [(block.rows.start, block.columns.start) for block in placed]
    assert corners == [(0, 0), (3, 0), (6, 0), (0, 2), (3, 2), (6, 2)]


def test_edges_are_padded_with_zeros():
    weights = np.arange(1, 13).reshape(4, 3)
    last = list(blocks(CONFIG, 4, 3, 0))[-1]
    assert block_weights(CONFIG, weights, last).tolist() == [[12, 0], [0, 0], [0, 0]]


def test_many_vectors_follow_the_pace_of_the_tiles_or_of_the_memory():
    def pace(**changes):
        config = load("digits", tiles=1, **changes)
        return product_cycles(config, 64, 64, 11) - product_cycles(config, 64, 64, 10)

    assert pace(adcs=8, lanes=4) == 2 * 64
    assert pace(adcs=64, lanes=2) == 32 + 2


def test_cycles_of_a_product_are_the_sum_of_its_parts():
    """Tiles of 3 x 2: their planes take 16 cycles, transposed 24; their latency 41, 57."""
    config = CONFIG.replace(lanes=2)
    base, a_round = 8 + 3, 10
    assert product_cycles(config, 3, 2, 0) == base + 2 * (1 + 2) + 41 + a_round
    assert product_cycles(config, 3, 2, 1) == base + 2 * (1 + 2) + 41 + a_round
    assert product_cycles(config, 9, 2, 4) == base + 2 * (3 + 6) + 41 + 3 * 32 + a_round
    transposed = product_cycles(config, 3, 4, 3, transposed=True)
    assert transposed == base + 2 * (2 + 6) + 57 + 2 * 48 + a_round
    two_rounds = product_cycles(config, 12, 2, 1)
    assert two_rounds == base + 2 * (3 + 6) + 41 + a_round + 2 * (1 + 2) + 41 + a_round
    # The memory sets the pace where it is slower: 3 x 3 beats of one word.
    slow = config.replace(lanes=1, dac_bits=6, adc_bits=2)
    way = slow.forward
    assert slow.planes * way.plane_cycles < 3 * 3 + 2
    several = product_cycles(slow, 9, 2, 4) - product_cycles(slow, 9, 2, 1)
    assert several == 3 * (3 * 3 + 2)
