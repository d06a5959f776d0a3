"""A matrix of any shape to a program and memory images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from ohmulator.compiler.words import Words, to_words
from spec.assembly import assemble
from spec.config import ChipConfig
from spec.errors import UserError, require, require_integer, shown
from spec.isa import DESCRIPTOR_FIELDS, RIGHT_SHIFTS, Space


@dataclass(frozen=True)
class MatrixProgram:
    """A program that multiplies up to `batch` vectors at a time by one matrix, or its transpose.

    The vectors stand at the start of the vector memory, one after the other, and the results
    behind the room for `batch` of them. The program takes the number of vectors in s0.

    Attributes
    ----------
    config
        Chip that it is for.
    weights
        [rows, columns], not to be changed.
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
        Configuration of the chip.
    weights
        Integers within `weight_range`, of any shape.
    shift
        Results are divided by 2**shift, rounded to the nearest, halves up: 0 to 63.
    matrix
        Number of its descriptor.
    tile
        Tile of its first block.
    address
        Address of its weights in the weight memory.
    start
        Address of the first instruction of the program.

    Raises
    ------
    UserError
        If the matrix or one vector does not fit the chip, or an argument is out of range.
    """
    require(
        isinstance(config, ChipConfig),
        f"config must be a ChipConfig, not {shown(config)}: see ohmulator.load",
    )
    machine = config.machine
    array = checked_integers("weights", weights, (-1, -1), *config.weight_range)
    rows, columns = array.shape
    require(array.size > 0, f"a matrix of {rows} x {columns} has no weights: give at least one")
    shift = require_integer("shift", shift, *RIGHT_SHIFTS)
    matrix = require_integer("matrix", matrix, 0, machine.matrices - 1, " (matrices - 1)")
    tile = require_integer("tile", tile, 0, machine.tiles - 1, " (tiles - 1)")
    address = require_integer("address", address, 0, machine.weight_words, " (weight_words)")
    start = require_integer("start", start, 0, machine.program_words, " (program_words)")
    batch = machine.vector_words // (rows + columns)
    # The size of the vector memory is a power of two.
    need = 1 << (rows + columns - 1).bit_length()
    require(
        batch > 0,
        f"a vector of {rows} words and its result of {columns} do not fit the vector memory of "
        f"{machine.vector_words}: {more(config, 'vector_words', need)}",
    )
    need = address + array.size
    require(
        need <= machine.weight_words,
        f"the {array.size} weights of a matrix of {rows} x {columns} do not fit the weight memory "
        f"of {machine.weight_words} from {address} on: {more(config, 'weight_words', need)}",
    )
    program = _product("MVM", batch * rows, shift, matrix)
    transposed_start = None
    if config.transposable:
        transposed_start = start + len(program)
        # RUN sets the ADC steps for the forward direction.
        step = config.transposed.covering_step
        setting = [f"SET s4, {step}", *(f"STEP s4, {s}" for s in range(config.steps))]
        program += _product("MVM_T", batch * columns, shift, matrix, setting)
    need = start + len(program)
    require(
        need <= machine.program_words,
        f"a program of {len(program)} instructions does not fit the program memory of "
        f"{machine.program_words} from {start} on: {more(config, 'program_words', need)}",
    )
    descriptor = np.array([rows, columns, address, tile])
    writes = (
        (Space.PROGRAM, 2 * start, np.array(program, "<u8").view("<u4")),
        (Space.WEIGHT, address, to_words(array)),
        # The last: it makes tiles forget what they held of this number.
        (Space.DESCRIPTOR, matrix * len(DESCRIPTOR_FIELDS), to_words(descriptor)),
    )
    for values in (array, *(words for _, _, words in writes)):
        values.flags.writeable = False
    return MatrixProgram(
        config, array, matrix, tile, start, transposed_start, len(program), batch, writes
    )


def more(config: ChipConfig, name: str, need: int) -> str:
    """Return the advice to raise a field of the configuration to what is needed, if it goes."""
    try:
        config.replace(**{name: need})
    except UserError:
        return f"{name} cannot be raised to {need}, so use a smaller matrix or another chip"
    return f"raise {name} to {need}"


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
