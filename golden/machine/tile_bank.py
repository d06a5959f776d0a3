"""The tiles of the machine, and what each of them holds."""

import numpy as np
from numpy.typing import NDArray

from golden.machine.effects import Effects
from golden.machine.memories import Memories, inside, require_or
from golden.machine.programmer import Programmer
from golden.machine.scheduler import Block, block_weights, blocks
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.isa import ErrorCode


class TileBank:
    """Bring matrices into tiles, and multiply on them.

    Attributes
    ----------
    tiles
        The tiles.
    programmer
        How they are programmed.
    """

    def __init__(
        self, config: ChipConfig, memories: Memories, tiles: list[Tile], programmer: Programmer
    ):
        self.config = config
        self.memories = memories
        self.tiles = tiles
        self.programmer = programmer

    def shape(self, matrix: int) -> tuple[int, int, int]:
        """Return rows and columns of a matrix, and the tile of its block 0, or raise MATRIX."""
        machine = self.config.machine
        require_or(0 <= matrix < machine.matrices, ErrorCode.MATRIX)
        rows, columns, _, first = (int(value) for value in self.memories.descriptors[matrix])
        fits = 0 < rows <= machine.vector_words and 0 < columns <= machine.vector_words
        require_or(fits and first < machine.tiles, ErrorCode.MATRIX)
        return rows, columns, first

    def weights(self, matrix: int) -> NDArray[np.int64] | None:
        """Return the weights [rows, columns] of a matrix, or None if its tiles hold all of it.

        Raises
        ------
        MachineError
            WEIGHTS, if tiles must be programmed from outside of the memory.
        """
        rows, columns, address, first = (int(value) for value in self.memories.descriptors[matrix])
        placed = blocks(self.config, rows, columns, first)
        if all(self._holds(matrix, block) for block in placed):
            return None
        require_or(inside(address, rows * columns, len(self.memories.weights)), ErrorCode.WEIGHTS)
        return self.memories.weights[address : address + rows * columns].reshape(rows, columns)

    def hold(
        self, effects: Effects, matrix: int, block: Block, weights: NDArray[np.int64] | None
    ) -> None:
        """Program a block into its tile unless it is there."""
        if self._holds(matrix, block):
            return
        assert weights is not None
        part = block_weights(self.config, weights, block)
        # Until it is done nothing is known of the tile.
        self.memories.holdings[block.tile] = 0
        done = self.programmer(self.tiles[block.tile].analog, part)
        self.tiles[block.tile] = Tile(self.config, done.analog)
        self.memories.holdings[block.tile] = block.number, matrix + 1
        effects.count("reprograms", 1)
        effects.count("reads", done.reads, block.tile)
        effects.count("pulses", done.pulses, block.tile)
        effects.count("failures", done.failures, block.tile)

    def multiply(
        self,
        effects: Effects,
        steps: NDArray[np.int64],
        tile: int,
        vectors: NDArray[np.int64],
        *,
        transposed: bool,
    ) -> NDArray[np.int64]:
        """Multiply vectors [n, inputs] on a tile, and count."""
        products = self.tiles[tile].multiply(vectors, steps, transposed=transposed)
        effects.count("drives", len(vectors) * self.config.planes, tile)
        effects.count("conversions", products.codes.size, tile)
        effects.count("clips_high", int(products.clips_high.sum()), tile)
        effects.count("clips_low", int(products.clips_low.sum()), tile)
        effects.count("saturations", int(products.saturations.sum()), tile)
        return products.results

    def _holds(self, matrix: int, block: Block) -> bool:
        return bool((self.memories.holdings[block.tile] == (block.number, matrix + 1)).all())
