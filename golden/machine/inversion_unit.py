"""Systems of equations on the loop of a tile: INV."""

import numpy as np

from golden.inverse.answer import answer
from golden.machine import vector_unit
from golden.machine.effects import Effects
from golden.machine.memories import require_or
from golden.machine.scheduler import blocks
from golden.machine.tile_bank import TileBank
from spec.isa import ANSWER_WORDS, ErrorCode


def invert(
    bank: TileBank, effects: Effects, matrix: int, d: int, a: int, b: int, step: int, count: int
) -> None:
    """Execute INV with the operands of its instruction.

    Where the loop does not settle the code of `effects` becomes UNSETTLED, and what was done before
    stands.

    Raises
    ------
    MachineError
        OPERAND, MATRIX, ADDRESS, OVERLAP or WEIGHTS.
    """
    config, memories = bank.config, bank.memories
    size, inversion = config.array.rows, config.inversion
    require_or(0 <= step < inversion.inv_steps, ErrorCode.OPERAND)
    rows, columns, first = bank.shape(matrix)
    require_or(rows == columns <= size, ErrorCode.MATRIX)
    sides = memories.words(a, count * rows).reshape(count, rows)
    feedback = memories.words(b, size)
    length = rows + ANSWER_WORDS
    memories.words(d, count * length)
    end = d + count * length
    apart = (end <= a or a + count * rows <= d) and (end <= b or b + size <= d)
    require_or(apart or count == 0, ErrorCode.OVERLAP)
    weights = bank.weights(matrix)

    (block,) = blocks(config, rows, columns, first)
    bank.hold(effects, matrix, block, weights)
    if count == 0:
        return
    codes, clips = vector_unit.saturate(feedback, (0, inversion.feedback_top))
    effects.count("input_clips", clips)
    loop = bank.tiles[block.tile].analog.inversion
    loop.feed(codes)
    for k, side in enumerate(sides):
        if loop.settle_cycles is None:
            effects.code = ErrorCode.UNSETTLED
            return
        found = answer(loop, side, step)
        step = found.step
        words = [*found.codes, found.exponent, step, int(found.saturated)]
        effects.words.append((d + k * length, np.array(words, np.int64)))
        effects.count("settles", 1, block.tile)
        effects.count("conversions", found.rounds * size, block.tile)
        effects.count("clips_high", found.clips_high, block.tile)
        effects.count("clips_low", found.clips_low, block.tile)
