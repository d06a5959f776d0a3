"""Packets of a tile alone: what a board speaks that is too small for the machine around tiles.

Commands and replies are those of a chip, with other spaces, and with operations instead of
programs. The host writes what an operation needs, starts it by RUN with its number, waits until
STATUS says that none runs, and reads what came of it; the position in that reply is the number.

An operation reads its words before it does anything. If one of them is out of its range, it ends
with the error OPERAND and has changed nothing; a number of no operation ends with ILLEGAL. Else it
ends by itself, and ABORT has no effect. All spaces can be read and written while none runs; until
they are written they hold anything.

The identity is that of a chip but for its first word. COUNTERS answers with the counters of the
tile alone.
"""

from typing import NamedTuple

from spec.config import ChipConfig
from spec.errors import require
from spec.isa import WORD_BITS, Described
from spec.packet import IDENTITY, identity

TILE_MAGIC = 0x4F484D54
"""Word that starts the identity of a tile: OHMT."""


class TileSpace(Described):
    """Memories of a tile that the host accesses by words of 32 bits."""

    INPUT = 0, "inputs of a product, as many as its direction has; the others are not looked at"
    STEP = 1, "ADC steps of a product: one a slice, then that of the unit column"
    TARGET = 2, "cell to program or to read, and its level"
    RESULT = 3, "results of the last product, signed; behind them, those of the one before"
    OUTCOME = 4, "what became of the last cell that was programmed or read"


class TileOperation(Described):
    """Operations of a tile, by the number that RUN is given."""

    PRODUCT = 0, "multiply the inputs by the matrix in the cells"
    PRODUCT_T = 1, "multiply the inputs by the transposed matrix; in the differential mapping alone"
    PROGRAM = 2, "bring the cell of TARGET to its level by write-verify"
    READ = 3, "read the cell of TARGET once; no pulse is given"


PRODUCT_OPERATIONS = TileOperation.PRODUCT, TileOperation.PRODUCT_T
"""Operations that use INPUT and STEP; the others use TARGET."""

TARGET = {
    "slice": "slice, 0 to `slices` - 1",
    "row": "word line, 0 to `rows` - 1",
    "adc": "ADC of the slice that reads it, 0 to `adcs` - 1",
    "group": "its column within those of the ADC, 0 to ceil(`columns` / `adcs`) - 1",
    "side": "0 or 1: positive or negative cell; of the offset mapping, column or unit column",
    "level": "level that it is to hold, 0 to 2^`cell_bits` - 1",
}
"""Words of the space TARGET, as in `golden.tile.write_verify.Targets`."""

OUTCOME = {
    "success": "1 if the last code says that the cell holds its level",
    "code": "last code, signed",
    "pulses": "write pulses that it took; 0 after READ",
}
"""Words of the space OUTCOME."""


class Limits(NamedTuple):
    """Lowest and highest number that a word may hold."""

    low: int
    high: int


def word_limits(config: ChipConfig) -> dict[TileSpace, list[Limits]]:
    """Return what the words that operations use may hold, word by word of each space."""
    sizes = {
        "slice": config.array.slices,
        "row": config.array.rows,
        "adc": config.converter.adcs,
        "group": config.forward.groups,
        "side": 2,
        "level": config.levels,
    }
    return {
        TileSpace.INPUT: [Limits(*config.input_range)] * config.drive_lines,
        TileSpace.STEP: [Limits(*config.step_range)] * config.steps,
        TileSpace.TARGET: [Limits(0, sizes[name] - 1) for name in TARGET],
    }


def tile_words(config: ChipConfig) -> dict[TileSpace, int]:
    """Return the size of each space in words, in the order of their numbers."""
    outputs = max(direction.outputs for direction in config.directions)
    used = {space: len(limits) for space, limits in word_limits(config).items()}
    return used | {TileSpace.RESULT: outputs, TileSpace.OUTCOME: len(OUTCOME)}


def tile_operations(config: ChipConfig) -> list[TileOperation]:
    """Return the operations that a tile has."""
    missing = () if config.transposable else (TileOperation.PRODUCT_T,)
    return [operation for operation in TileOperation if operation not in missing]


def tile_identity(config: ChipConfig) -> list[int]:
    """Return the reply of a tile to IDENTIFY."""
    assert next(iter(IDENTITY)) == "magic"
    return [TILE_MAGIC, *identity(config)[1:]]


def require_tile_link(config: ChipConfig) -> None:
    """Raise `UserError` unless results of a tile are words, and its cells verifiable."""
    config.require_verifiable()
    require(
        not config.machine.invertible,
        "a tile behind a link makes products alone: set invertible to false, or take a chip",
    )
    require(
        config.result_bits <= WORD_BITS,
        f"a tile behind a link answers with words of {WORD_BITS} bits, and its results have "
        f"{config.result_bits}: give accumulator_bits of {WORD_BITS} or less",
    )
