"""Products of any shape on the tiles: MVM and MVM_T."""

import numpy as np
from numpy.typing import NDArray

from golden.machine import vector_unit
from golden.machine.effects import Effects
from golden.machine.memories import require_or
from golden.machine.scheduler import rounds
from golden.machine.tile_bank import TileBank
from spec.isa import RIGHT_SHIFTS, WORD_RANGE, ErrorCode


def multiply(
    bank: TileBank,
    effects: Effects,
    matrix: int,
    d: int,
    a: int,
    shift: int,
    count: int,
    steps: NDArray[np.int64],
    *,
    transposed: bool,
) -> None:
    """Execute a product with the operands of its instruction, at ADC steps [steps].

    Raises
    ------
    MachineError
        OPERAND, MATRIX, ADDRESS, OVERLAP or WEIGHTS.
    """
    config = bank.config
    require_or(RIGHT_SHIFTS[0] <= shift <= RIGHT_SHIFTS[1], ErrorCode.OPERAND)
    rows, columns, first = bank.shape(matrix)
    inputs, outputs = (columns, rows) if transposed else (rows, columns)
    x = bank.memories.words(a, count * inputs).reshape(count, inputs)
    bank.memories.words(d, count * outputs)
    apart = d + count * outputs <= a or a + count * inputs <= d
    require_or(apart or count == 0, ErrorCode.OVERLAP)
    weights = bank.weights(matrix)

    x, clips = vector_unit.saturate(x, config.input_range)
    effects.count("input_clips", clips)
    wide = np.int64 if config.partial_bits <= 64 else object
    sums = np.zeros((count, outputs), wide)
    for batch in rounds(config, rows, columns, first):
        for block in batch:
            bank.hold(effects, matrix, block, weights)
        for block in batch if count else ():
            source, target = block.directed(transposed)
            part = x[:, source]
            lines = config.direction(transposed).inputs
            padded = np.pad(part, [(0, 0), (0, lines - part.shape[1])])
            results = bank.multiply(effects, steps, block.tile, padded, transposed=transposed)
            sums[:, target] += results[:, : target.stop - target.start]
    words, saturations = vector_unit.saturate(vector_unit.round_shift(sums, shift), WORD_RANGE)
    effects.words.append((d, words.ravel()))
    effects.count("saturations", saturations)
