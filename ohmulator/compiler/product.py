"""Products of a compiled matrix with vectors, on a chip.

Matrices may stand side by side on a chip, and may take each other's place: what a product needs is
brought to the chip again if it is not there any more.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from golden.machine.scheduler import block_weights, blocks
from ohmulator.compiler.matrix import MatrixProgram, more
from ohmulator.compiler.words import Words, from_words, to_words
from ohmulator.host.host import Host, Write
from spec.config import ChipConfig
from spec.errors import require, shown
from spec.isa import HOLDING_FIELDS, WORD_RANGE, Space


class ChipAccess(Protocol):
    """Chip that programs are written to: a `Host`, or the machine of the model."""

    def write(self, space: Space, address: int, words: Words) -> object:
        """Write words [n] from an address on."""

    def read(self, space: Space, address: int, count: int) -> ArrayLike:
        """Return `count` words from an address on."""

    def run(self, pc: int = 0) -> object:
        """Run the program at instruction `pc` to its end."""


def load(
    chip: ChipAccess,
    program: MatrixProgram,
    set_tile: Callable[[int, NDArray[np.int64]], None] | None = None,
) -> None:
    """Write a program and its images to a chip.

    Parameters
    ----------
    chip, program
        Chip, and program for it.
    set_tile
        Sets a tile, given by its number, to weights [rows, columns] of its size. Where the array
        is simulated, that replaces programming, and the chip is told. By default the chip programs
        its tiles when it needs them.

    Raises
    ------
    UserError
        If the program is for another chip, or the tiles are to be set and cannot hold the matrix.
    """
    _check(chip, program)
    if set_tile is None:
        _put(chip, program.writes)
        return
    require(callable(set_tile), f"set_tile must be a function, not {shown(set_tile)}")
    config = program.config
    rows, columns = program.weights.shape
    placed = tuple(blocks(config, rows, columns, program.tile))
    require(
        len(placed) <= config.machine.tiles,
        f"a matrix of {len(placed)} blocks cannot be set once for all on "
        f"{config.machine.tiles} tiles: {more(config, 'tiles', len(placed))}, or let the chip "
        "program it",
    )
    holdings = []
    for block in placed:
        set_tile(block.tile, block_weights(config, program.weights, block))
        holding = np.array([block.number, program.matrix + 1], np.uint32)
        holdings.append((Space.HOLDING, block.tile * len(HOLDING_FIELDS), holding))
    _put(chip, [*program.writes, *holdings])


def multiply(
    chip: ChipAccess, program: MatrixProgram, vectors: ArrayLike, *, transposed: bool = False
) -> NDArray[np.int64]:
    """Multiply vectors on a chip: return results [n, columns] of vectors [n, rows].

    Transposed, vectors [n, columns] give results [n, rows]. One vector without the n gives one
    result without it. The program is loaded if the chip does not hold all of it. A result that
    does not fit 32 bits is saturated, which the chip counts.

    Raises
    ------
    UserError
        If the program is for another chip, the vectors are not integers of 32 bits or not of the
        length that the matrix needs, or the chip has no transposed products.
    LinkError
        If the chip is a `Host` and was used by another one, or reset, meanwhile.
    """
    _check(chip, program)
    require(
        isinstance(transposed, bool | np.bool_),
        f"transposed must be True or False, not {shown(transposed)}",
    )
    inputs, outputs = program.weights.shape
    start = program.start
    if transposed:
        inputs, outputs = outputs, inputs
        program.config.require_transposable()
        assert program.transposed_start is not None
        start = program.transposed_start
    shape = (inputs,) if _is_flat(vectors) else (-1, inputs)
    array = checked_integers("vectors", vectors, shape, *WORD_RANGE).reshape(-1, inputs)

    if not _keeps(chip, program.writes):
        _put(chip, program.writes)
    results = np.empty((len(array), outputs), np.int64)
    for begin in range(0, len(array), program.batch):
        batch = array[begin : begin + program.batch]
        chip.write(Space.VECTOR, 0, to_words(batch))
        chip.write(Space.SCALAR, 0, np.array([len(batch), 0], np.uint32))
        chip.run(start)
        words = chip.read(Space.VECTOR, program.batch * inputs, len(batch) * outputs)
        results[begin : begin + len(batch)] = from_words(words).reshape(-1, outputs)
    if isinstance(chip, Host):
        chip.check()
    return results if len(shape) == 2 else results[0]


def _check(chip: ChipAccess, program: MatrixProgram) -> None:
    """Raise `UserError` unless the program is one for this chip."""
    for method in ("write", "read", "run"):
        require(
            callable(getattr(chip, method, None)),
            f"chip must have a method {method}(), unlike {shown(chip)}: give a Host",
        )
    require(
        isinstance(program, MatrixProgram),
        f"program must be what compile_matrix returns, not {shown(program)}",
    )
    config = getattr(chip, "config", None)
    if isinstance(config, ChipConfig):
        require(
            config.hardware == program.config.hardware,
            f"the program is for a chip with the hardware {program.config.hardware}, and this one "
            f"has {config.hardware}: compile it for this one",
        )


def _put(chip: ChipAccess, writes: Sequence[Write]) -> None:
    if isinstance(chip, Host):
        chip.put(writes)
        return
    for write in writes:
        chip.write(*write)


def _keeps(chip: ChipAccess, writes: Sequence[Write]) -> bool:
    """Tell whether memories are as they were written: by what a host knows, or by reading them."""
    if isinstance(chip, Host):
        return chip.keeps(writes)
    return all(
        np.array_equal(chip.read(space, address, len(words)), words)
        for space, address, words in writes
    )


def _is_flat(vectors: ArrayLike) -> bool:
    """Tell whether something is one vector."""
    try:
        return np.ndim(vectors) == 1
    except ValueError:
        return False
