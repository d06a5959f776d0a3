"""A matrix of any shape to a program and memory images, and its products on a chip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.machine.scheduler import block_weights, blocks
from golden.tile.weights import checked_integers
from spec.assembly import assemble
from spec.config import ChipConfig
from spec.errors import require, require_integer
from spec.isa import DESCRIPTOR_FIELDS, HOLDING_FIELDS, RIGHT_SHIFTS, WORD_RANGE, Space

Words = NDArray[np.uint32]


class Target(Protocol):
    """Chip that programs are written to: a host, or the machine of the model."""

    def write(self, space: Space, address: int, words: Words) -> object: ...

    def read(self, space: Space, address: int, count: int) -> ArrayLike: ...

    def run(self, pc: int = 0) -> object: ...


@dataclass(frozen=True)
class MatrixProgram:
    """A program that multiplies up to `batch` vectors at a time by one matrix, or its transpose.

    The vectors stand at the start of the vector memory, one after the other, and the results
    behind the room for `batch` of them. The program takes the number of vectors in s0.

    Attributes
    ----------
    config
        The chip it is for.
    weights
        [rows, columns].
    matrix, tile
        Number of the matrix, and the tile of its first block.
    start, transposed_start
        Addresses of the instructions where the products begin. None if the chip has no transposed
        ones.
    instructions
        Length of the program.
    batch
        Vectors at a time.
    writes
        Images: space, address and words, to be written in this order.
    """

    config: ChipConfig
    weights: NDArray[np.int64]
    matrix: int
    tile: int
    start: int
    transposed_start: int | None
    instructions: int
    batch: int
    writes: tuple[tuple[Space, int, Words], ...]


def compile_matrix(
    config: ChipConfig,
    weights: ArrayLike,
    *,
    shift: int = 0,
    matrix: int = 0,
    tile: int = 0,
    address: int = 0,
    start: int = 0,
) -> MatrixProgram:
    """Compile a matrix of weights [rows, columns].

    Parameters
    ----------
    config
        The chip.
    weights
        Integers within `weight_range`, of any shape.
    shift
        Results are divided by 2**shift, rounded to the nearest, halves up.
    matrix
        Number of its descriptor.
    tile
        Tile of its first block.
    address
        Where its weights stand in the weight memory.
    start
        Address of the first instruction of the program.

    Raises
    ------
    UserError
        If the matrix or one vector does not fit the chip, or an argument is out of range.
    """
    array = checked_integers("weights", weights, (-1, -1), *config.weight_range)
    rows, columns = array.shape
    require(array.size > 0, f"a matrix of {rows} x {columns} has no weights: give at least one")
    require_integer("shift", shift, *RIGHT_SHIFTS)
    require_integer("matrix", matrix, 0, config.machine.matrices - 1, " (matrices - 1)")
    require_integer("tile", tile, 0, config.machine.tiles - 1, " (tiles - 1)")
    require_integer("address", address, 0, config.machine.weight_words, " (weight_words)")
    require_integer("start", start, 0, config.machine.program_words, " (program_words)")
    batch = config.machine.vector_words // (rows + columns)
    require(
        batch > 0,
        f"a vector of {rows} words and its result of {columns} do not fit the vector memory of "
        f"{config.machine.vector_words}: raise vector_words",
    )
    require(
        address + array.size <= config.machine.weight_words,
        f"the {array.size} weights of a matrix of {rows} x {columns} do not fit the weight memory "
        f"of {config.machine.weight_words} from {address} on: raise weight_words",
    )
    program = _product("MVM", batch * rows, shift, matrix)
    transposed_start = None
    if config.transposable:
        transposed_start = start + len(program)
        # RUN sets the steps for the other direction.
        step = config.transposed.covering_step
        setting = [f"SET s4, {step}", *(f"STEP s4, {s}" for s in range(config.steps))]
        program += _product("MVM_T", batch * columns, shift, matrix, setting)
    require(
        start + len(program) <= config.machine.program_words,
        f"a program of {len(program)} instructions does not fit the program memory of "
        f"{config.machine.program_words} from {start} on: raise program_words",
    )
    descriptor = np.array([rows, columns, address, tile])
    writes = (
        (Space.PROGRAM, 2 * start, np.array(program, "<u8").view("<u4")),
        (Space.WEIGHT, address, to_words(array)),
        (Space.DESCRIPTOR, matrix * len(DESCRIPTOR_FIELDS), to_words(descriptor)),
    )
    return MatrixProgram(
        config, array, matrix, tile, start, transposed_start, len(program), batch, writes
    )


def _product(
    mnemonic: str, results: int, shift: int, matrix: int, setting: Sequence[str] = ()
) -> list[int]:
    """Return the instructions that multiply the vectors at 0 and put the results to an address."""
    lines = [
        *setting,
        "SET s1, 0",
        f"SET s2, {results}",
        f"SET s3, {shift}",
        f"{mnemonic} s2, s1, s3, s0, {matrix}",
        "HALT",
    ]
    return assemble("\n".join(lines))


def load(
    target: Target,
    program: MatrixProgram,
    set_tile: Callable[[int, NDArray[np.int64]], None] | None = None,
) -> None:
    """Write a program and its images to a chip.

    Parameters
    ----------
    target, program
        Which program to write where.
    set_tile
        Sets a tile, given by its number, to weights [rows, columns] of its size. Where the array
        is simulated, that replaces programming, and the chip is told. By default the chip programs
        its tiles when it needs them.

    Raises
    ------
    UserError
        If the tiles are to be set and cannot hold the matrix.
    """
    for space, address, words in program.writes:
        target.write(space, address, words)
    if set_tile is None:
        return
    config = program.config
    rows, columns = program.weights.shape
    placed = tuple(blocks(config, rows, columns, program.tile))
    require(
        len(placed) <= config.machine.tiles,
        f"a matrix of {len(placed)} blocks cannot be set once for all on "
        f"{config.machine.tiles} tiles: raise tiles, or let the chip program it",
    )
    for block in placed:
        set_tile(block.tile, block_weights(config, program.weights, block))
        holding = np.array([block.number, program.matrix + 1], np.uint32)
        target.write(Space.HOLDING, block.tile * len(HOLDING_FIELDS), holding)


def multiply(
    target: Target, program: MatrixProgram, vectors: ArrayLike, *, transposed: bool = False
) -> NDArray[np.int64]:
    """Multiply vectors [n, rows] on a chip that holds the program: return results [n, columns].

    Or, `transposed`, vectors [n, columns] by the transpose: results [n, rows]. A result that does
    not fit 32 bits is saturated, which the chip counts.

    Raises
    ------
    UserError
        If the vectors are not integers of 32 bits, or not of the length that the matrix needs, or
        the chip has no transposed products.
    """
    inputs, outputs = program.weights.shape
    start = program.start
    if transposed:
        inputs, outputs = outputs, inputs
        program.config.require_transposable()
        assert program.transposed_start is not None
        start = program.transposed_start
    array = checked_integers("vectors", vectors, (-1, inputs), *WORD_RANGE)
    results = np.empty((len(array), outputs), np.int64)
    for begin in range(0, len(array), program.batch):
        batch = array[begin : begin + program.batch]
        target.write(Space.VECTOR, 0, to_words(batch))
        target.write(Space.SCALAR, 0, np.array([len(batch), 0], np.uint32))
        target.run(start)
        words = target.read(Space.VECTOR, program.batch * inputs, len(batch) * outputs)
        results[begin : begin + len(batch)] = from_words(words).reshape(-1, outputs)
    return results


def to_words(values: NDArray[np.int64]) -> Words:
    """Return integers of 32 bits as words, in the order of memory."""
    return values.astype("<i4").view("<u4").ravel()


def from_words(words: ArrayLike) -> NDArray[np.int64]:
    """Return words as signed integers."""
    return np.asarray(words, "<u4").view("<i4").astype(np.int64)
