"""Spread a product with a matrix of any shape over tiles.

The matrix is cut into blocks of the size of a tile, padded with zeros at its lower and right edge,
numbered down the columns: block k covers row block k mod R and column block k // R, R being the
number of row blocks. It belongs to tile (first + k) mod T, `first` being the tile that the
descriptor names.

Blocks run in rounds: T of them, the last round perhaps fewer, each on a tile of its own. A round
begins with programming, in the order of the blocks, those that their tiles do not hold; then all
of its tiles multiply all vectors, one after the other, in parallel. The partial sums of a column
block thus arrive in order, and no more than one column block is unfinished between rounds. Sums
are exact; the shift to 32 bits is the only rounding.

A transposed product runs the same blocks in the same rounds, so that tiles serve both with what
they hold. Vectors are then cut into column blocks and results into row blocks; all results stay
unfinished until the last column block.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spec.config import ChipConfig
from spec.pace import memory_cycles, vector_cycles


@dataclass(frozen=True)
class Block:
    """A part of a matrix that one tile multiplies by.

    Attributes
    ----------
    number
        Within the matrix.
    tile
        Where it runs.
    rows, columns
        What it covers of the matrix.
    """

    number: int
    tile: int
    rows: slice
    columns: slice

    def directed(self, transposed: bool) -> tuple[slice, slice]:
        """Return its part of the vectors and of the results."""
        return (self.columns, self.rows) if transposed else (self.rows, self.columns)


def blocks(config: ChipConfig, rows: int, columns: int, first: int) -> Iterator[Block]:
    """Yield the blocks of a matrix [rows, columns] in order; block 0 belongs to tile `first`."""
    corners = itertools.product(
        range(0, columns, config.array.columns), range(0, rows, config.array.rows)
    )
    for number, (left, top) in enumerate(corners):
        yield Block(
            number,
            (first + number) % config.machine.tiles,
            slice(top, min(top + config.array.rows, rows)),
            slice(left, min(left + config.array.columns, columns)),
        )


def block_weights(
    config: ChipConfig, weights: NDArray[np.int64], block: Block
) -> NDArray[np.int64]:
    """Return the weights [rows, columns] of a whole tile for a block of a matrix."""
    part = weights[block.rows, block.columns]
    padding = [(0, config.array.rows - part.shape[0]), (0, config.array.columns - part.shape[1])]
    return np.pad(part, padding)


def rounds(config: ChipConfig, rows: int, columns: int, first: int) -> Iterator[tuple[Block, ...]]:
    """Yield the blocks of a matrix, `tiles` at a time."""
    all_blocks = blocks(config, rows, columns, first)
    while batch := tuple(itertools.islice(all_blocks, config.machine.tiles)):
        yield batch


def product_cycles(
    config: ChipConfig, rows: int, columns: int, count: int, *, transposed: bool = False
) -> int:
    """Return the cycles from request to reply that a product takes at most, all its blocks held.

    A product of n vectors whose tiles hold all of its blocks takes at most 8 + `tiles` cycles and,
    for each of its rounds, of t tiles,

        2 (t + m) + latency_cycles + (n - 1) max(planes plane_cycles, m + 2) + 10

    (without the term in n - 1 if n is 0), with `latency_cycles` and `plane_cycles` of its
    `Direction`, and m = t ceil(max(`rows`, `columns`) / `lanes`), rows and columns of a tile; but
    m = 3 t if that is more and the product is transposed, for a sum that one block has written is
    there for the next three cycles later. See `spec.pace` for what sets the pace.
    """
    latency = config.direction(transposed).latency_cycles
    cycles = 8 + config.machine.tiles
    for batch in rounds(config, rows, columns, 0):
        t = len(batch)
        m = memory_cycles(config, t, transposed=transposed)
        pace = vector_cycles(config, t, transposed=transposed)
        cycles += 2 * (t + m) + latency + max(0, count - 1) * pace + 10
    return cycles
