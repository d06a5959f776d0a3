"""Refinement as a program of the chip: the loop and exact products take turns until a tolerance.

    d = A0^-1 r,  x = x + d,  r = r - A d

Residual and solution have block exponents, which the program keeps: the residual is scaled to 30
bits before every loop, so that a word of it never runs out of bits, and the solution to the first
answer. The host writes the right-hand side, and reads the solution; in between it is not asked.
"""

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from ohmulator.compiler.matrix import more
from ohmulator.compiler.product import ChipAccess
from ohmulator.compiler.words import Words, from_words, to_words
from spec.assembly import assemble
from spec.config import ChipConfig
from spec.errors import require, require_integer
from spec.isa import ANSWER_WORDS, SCALARS, WORD_BITS, WORD_RANGE, Space

RESIDUAL_BITS = 30
"""Bits of the largest word of a residual."""

SOLUTION_BITS = 29
"""Bits of the largest word of a solution, with room for what is added."""

FACTOR_BITS = 15
"""Bits after the point of the factor between the scales of loop and products."""

STALLED = 32
"""Iterations in which the residual does not halve, that end a refinement."""

WORSE = 10
"""Halvings that the residual may lose against its best."""

PRODUCTS, LOOP = 0, 1
"""Numbers of the matrices."""


class End(enum.IntEnum):
    """Why a refinement ended, as the program says it in scalar s14."""

    TOLERANCE = 1
    BOUND = 2
    DIVERGED = 3
    STAGNATED = 4


@dataclass(frozen=True)
class RefinementProgram:
    """A program that solves for one right-hand side after the other.

    Attributes
    ----------
    config
        Chip that it is for.
    weights
        [n, n], what is multiplied.
    loop_start, product_start
        Addresses of the instructions where a single solution of the loop, and a single product,
        begin.
    writes
        Images: space, address and words, to be written in this order.
    """

    config: ChipConfig
    weights: NDArray[np.int64]
    loop_start: int
    product_start: int
    writes: tuple[tuple[Space, int, Words], ...]

    @property
    def size(self) -> int:
        """Unknowns."""
        return len(self.weights)


@dataclass(frozen=True)
class Refined:
    """Hold what a refinement has come to.

    Attributes
    ----------
    words, exponent
        Solution [n]: words 2^exponent, in units of the right-hand side over those of the weights.
    end
        Why it ended.
    residuals
        [iterations + 1], exponents: the largest word of the residual, in units of the right-hand
        side, was below 2 to this before the first iteration, and after each.
    """

    words: NDArray[np.int64]
    exponent: int
    end: End
    residuals: NDArray[np.int64]


def compile_refinement(
    config: ChipConfig,
    weights: ArrayLike,
    cells: ArrayLike,
    feedback: ArrayLike,
    ratio: float,
) -> RefinementProgram:
    """Compile the refinement of a system of n unknowns.

    Parameters
    ----------
    config
        Chip, which is `invertible` and whose products are exact.
    weights
        [n, n], what is multiplied; a row is an equation.
    cells
        [n, n], signed levels of the loop, which holds about `weights` times `ratio`.
    feedback
        Codes of the feedback conductances, one for each row of a tile.
    ratio
        Levels of the loop for a weight of 1.

    Raises
    ------
    UserError
        If an argument is out of range, or does not fit the chip.
    """
    machine, size = config.machine, config.array.rows
    require(machine.invertible, "a refinement needs a chip that solves: set invertible to true")
    require(
        machine.matrices >= 2 and machine.tiles >= 2,
        "a refinement needs a tile for the loop and one for products: raise tiles, matrices to 2",
    )
    array = checked_integers("weights", weights, (-1, -1), *config.weight_range)
    count = len(array)
    require(
        array.shape == (count, count) and 0 < count <= size,
        f"the weights must be of 1 to {size} equations for as many unknowns, not {array.shape}",
    )
    levels = checked_integers("cells", cells, (count, count), 1 - config.levels, config.levels - 1)
    codes = checked_integers("feedback", feedback, (size,), 0, config.inversion.feedback_top)
    # The array of the top slice holds the levels, the others are empty.
    top = config.array.cell_bits * (config.array.slices - 1)
    matrices = np.stack([array, levels << top])
    memory = _Memory(count, size)
    for name, need in (("vector_words", memory.end), ("weight_words", matrices.size)):
        have = getattr(machine, name)
        require(
            need <= have,
            f"a refinement of {count} unknowns needs {need} {name}, and the chip has {have}: "
            f"{more(config, name, 1 << (need - 1).bit_length())}",
        )
    parts = [assemble(text) for text in (_refinement(config, memory, ratio), *_steps(memory))]
    starts = np.cumsum([len(part) for part in parts])
    program = np.array([word for part in parts for word in part], "<u8")
    require(
        len(program) <= machine.program_words,
        f"a refinement has {len(program)} instructions, and the chip {machine.program_words} "
        f"program_words: {more(config, 'program_words', len(program))}",
    )
    descriptors = np.array([[count, count, 0, 1], [count, count, array.size, 0]])
    writes = (
        (Space.PROGRAM, 0, program.view("<u4")),
        (Space.WEIGHT, 0, to_words(matrices)),
        (Space.DESCRIPTOR, 0, to_words(descriptors)),
        (Space.VECTOR, memory.feedback, to_words(codes)),
    )
    return RefinementProgram(config, array, int(starts[0]), int(starts[1]), writes)


def refine(
    chip: ChipAccess, program: RefinementProgram, side: ArrayLike, *, exponent: int, bound: int
) -> Refined:
    """Solve for a right-hand side [n] of words, by a program that the chip holds.

    Parameters
    ----------
    chip, program
        Chip that `program.writes` were written to.
    side
        Integers of up to `RESIDUAL_BITS` bits.
    exponent
        The refinement ends once all words of the residual, in units of `side`, are below 2 to this.
    bound
        Iterations at most.

    Raises
    ------
    UserError
        If an argument is out of range.
    ProgramError
        UNSETTLED, if the loop does not settle.
    """
    limit = 1 << RESIDUAL_BITS
    words = checked_integers("side", side, (program.size,), -limit, limit)
    memory = _Memory(program.size, program.config.array.rows)
    room = program.config.machine.vector_words - memory.end - 1
    bound = require_integer("bound", bound, 1, room, " (words of the vector memory left)")
    chip.write(Space.VECTOR, memory.residual, to_words(words))
    given = np.array([exponent, bound], "<i8").view("<u4")
    chip.write(Space.SCALAR, 2 * TARGET, given)
    chip.run(0)
    found = np.asarray(chip.read(Space.SCALAR, 0, 2 * SCALARS), "<u4").view("<i8")
    solution = from_words(chip.read(Space.VECTOR, memory.solution, program.size))
    left = int(found[TARGET + 1])
    residuals = from_words(chip.read(Space.VECTOR, memory.end + left, bound - left + 1))
    return Refined(solution, int(found[SCALE]), End(int(found[WHY])), residuals[::-1])


def answer(
    chip: ChipAccess, program: RefinementProgram, words: ArrayLike, step: int
) -> tuple[NDArray[np.int64], int, int, bool]:
    """Have the loop solve for words [n] of 32 bits, from an ADC step on.

    Returns codes [n], exponent, ADC step, and whether an op-amp saturated.

    Raises
    ------
    UserError
        If an argument is out of range.
    ProgramError
        UNSETTLED, if the loop does not settle.
    """
    given = checked_integers("words", words, (program.size,), *WORD_RANGE)
    memory = _Memory(program.size, program.config.array.rows)
    chip.write(Space.VECTOR, memory.product, to_words(given))
    chip.write(Space.SCALAR, 2 * STEP, np.array([step, 0], np.uint32))
    chip.run(program.loop_start)
    found = from_words(chip.read(Space.VECTOR, memory.answer, program.size + ANSWER_WORDS))
    exponent, step, saturated = found[program.size :].tolist()
    return found[: program.size], exponent, step, bool(saturated)


def multiply(chip: ChipAccess, program: RefinementProgram, codes: ArrayLike) -> NDArray[np.int64]:
    """Return the exact product of the weights and codes [n] of up to `input_bits`.

    Codes are multiplied in parts of so few bits that no product is beyond a word.

    Raises
    ------
    UserError
        If a code is out of range.
    """
    rest = checked_integers("codes", codes, (program.size,), *program.config.input_range)
    memory = _Memory(program.size, program.config.array.rows)
    largest = int(np.abs(program.weights).sum(axis=1).max())
    bits = max(1, WORD_BITS - 1 - largest.bit_length())
    total = np.zeros(program.size, np.int64)
    places = 0
    while rest.any():
        # The lowest bits are without sign; what is left has it.
        part = rest if np.abs(rest).max() < 1 << bits else rest & ((1 << bits) - 1)
        chip.write(Space.VECTOR, memory.residual, to_words(part))
        chip.run(program.product_start)
        found = from_words(chip.read(Space.VECTOR, memory.solution, program.size))
        total += found << places
        rest, places = (rest - part) >> bits, places + bits
    return total


STEP = 14
"""Scalar of the ADC step from which on a single solution is converted."""

SCALE, TARGET, WHY = 9, 10, 14
"""Scalars of the exponent of the solution, of the exponent at which it ends, behind which stand the
iterations left, and of why it ended."""


@dataclass(frozen=True)
class _Memory:
    """Addresses in the vector memory."""

    unknowns: int
    rows: int

    residual = 0

    @property
    def solution(self) -> int:
        return self.unknowns

    @property
    def product(self) -> int:
        """Of the product, and before it of what the loop is given."""
        return 2 * self.unknowns

    @property
    def answer(self) -> int:
        return 3 * self.unknowns

    @property
    def feedback(self) -> int:
        return 4 * self.unknowns + ANSWER_WORDS

    @property
    def end(self) -> int:
        return self.feedback + self.rows


def _steps(memory: _Memory) -> tuple[str, str]:
    """Return the programs of a single solution of the loop, and of a single product."""
    loop = f"""
        SET s3, {memory.product}
        SET s4, {memory.answer}
        SET s5, {memory.feedback}
        SET s15, 1
        INV s4, s3, s5, s14, s15, {LOOP}
        HALT
"""
    product = f"""
        SET s3, {memory.residual}
        SET s4, {memory.solution}
        SET s14, 0
        SET s15, 1
        MVM_T s4, s3, s14, s15, {PRODUCTS}
        HALT
"""
    return loop, product


def _refinement(config: ChipConfig, memory: _Memory, ratio: float) -> str:
    """Return the program of a refinement."""
    # The loop holds the matrix in another scale: by a factor of 1 to 2, and a power of two.
    places = math.floor(math.log2(ratio))
    factor = round(math.ldexp(ratio, FACTOR_BITS - places))
    first = config.inversion.inv_adc_bits - 1 - SOLUTION_BITS
    return f"""
r = s1                  ; residual,
x = s2                  ; solution,
y = s3                  ; what the loop is given, and the product,
c = s4                  ; codes that the loop answers,
f = s5                  ; feedback codes,
n = s7                  ; and their length
unit = s8               ; log2 of the weight of a word of the residual,
scale = s9              ; and of the solution
target = s10            ; log2 of the residual at which to end
left = s11              ; iterations
best = s12              ; log2 of the smallest residual yet
patience = s13
why = s14

        SET s0, 0
        SET r, {memory.residual}
        SET x, {memory.solution}
        SET y, {memory.product}
        SET c, {memory.answer}
        SET f, {memory.feedback}
        SET n, {memory.unknowns}
        VSUB x, x, x, n
        SET unit, 0
        SET scale, {WORD_RANGE[0]}      ; none yet
        SET best, {WORD_RANGE[1]}
        SET s14, {config.inversion.inv_steps - 1}
        STORE c, s14, {memory.unknowns + 1}

        ; How large is the residual?
again:  VMAXMAG s6, r, n
        ADD s15, s6, unit
        STORE left, s15, {memory.end}
        SET why, {End.TOLERANCE}
        BGE target, s15, end
        SET why, {End.BOUND}
        BEQ left, s0, end
        ADDI s14, best, {WORSE}
        BLT s15, s14, sound
        SET why, {End.DIVERGED}
        JUMP end
sound:  BLT s15, best, better
        LOOP patience, scaled
        SET why, {End.STAGNATED}
        JUMP end
better: ADDI best, s15, 0
        SET patience, {STALLED}

        ; It is scaled to its bits,
scaled: ADDI left, left, -1
        ADDI s6, s6, -{RESIDUAL_BITS}
        VSHIFT r, r, s6, n
        ADD unit, unit, s6
        ; and to the levels of the loop.
        SET s14, {factor}
        SET s15, {FACTOR_BITS}
        VSCALE y, r, s14, s15, n

        ; The loop solves, from the ADC step of its last answer on.
        LOAD s14, c, {memory.unknowns + 1}
        SET s15, 1
        INV c, y, f, s14, s15, {LOOP}

        ; The product of its codes has this weight in words of the residual.
        LOAD s14, c, {memory.unknowns}
        ADDI s14, s14, {places}
        SUB s6, s0, s14
        BGE s6, s0, fine
        SET s6, 0
fine:   MVM_T y, c, s6, s15, {PRODUCTS}
        BGE s0, s14, apart
        SUB s6, s0, s14
        VSHIFT y, y, s6, n
apart:  VSUB r, r, y, n

        ; The codes are added to the solution, whose scale the first of them sets,
        ADD s14, s14, unit
        ADDI s6, s14, {first}
        SET s15, {WORD_RANGE[0]}
        BNE scale, s15, begun
        ADDI scale, s6, 0
        ; and larger ones raise,
begun:  BGE scale, s6, sum
        SUB s15, s6, scale
        VSHIFT x, x, s15, n
        ADDI scale, s6, 0
sum:    SUB s15, scale, s14
        VSHIFT c, c, s15, n
        VADD x, x, c, n
        ; as it does itself where it grows.
        VMAXMAG s6, x, n
        SET s15, {SOLUTION_BITS}
        BGE s15, s6, again
        SUB s6, s6, s15
        VSHIFT x, x, s6, n
        ADD scale, scale, s6
        JUMP again
end:    HALT
"""
