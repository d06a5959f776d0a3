"""Refinement as a program of the chip: the loop and exact products take turns until a tolerance.

    d = A0^-1 r,  x = x + d,  r = r - A d

Residual and solution have block exponents, which the program keeps: the residual is scaled to 30
bits before every loop, so that a word of it never runs out of bits, and the solution to the first
answer. The host writes the right-hand side, and reads the solution; in between it is not asked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from ohmulator.compiler.matrix import more
from ohmulator.compiler.product import ChipAccess
from ohmulator.compiler.refinement_text import (
    RESIDUAL_BITS,
    SCALE,
    STEP,
    TARGET,
    WHY,
    End,
    Memory,
    refinement_text,
    step_texts,
)
from ohmulator.compiler.words import Words, from_words, to_words
from spec.assembly import assemble
from spec.config import ChipConfig
from spec.errors import require, require_integer
from spec.isa import ANSWER_WORDS, SCALARS, WORD_BITS, WORD_RANGE, Space


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
    factor: int,
    exponent: int,
) -> RefinementProgram:
    """Compile the refinement of a system of n unknowns.

    Parameters
    ----------
    config
        Chip, which is `invertible` and whose products are exact.
    weights
        [n, n], what is multiplied; a row is an equation.
    cells
        [n, n], signed levels of the loop, which holds about `weights` times `factor` 2^`exponent`.
    feedback
        Codes of the feedback conductances, one for each row of a tile.
    factor, exponent
        Of the scale of the loop; the factor is of 1 to 2 with `FACTOR_BITS` after the point.

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
    memory = Memory(count, size)
    for name, need in (("vector_words", memory.end), ("weight_words", matrices.size)):
        have = getattr(machine, name)
        require(
            need <= have,
            f"a refinement of {count} unknowns needs {need} {name}, and the chip has {have}: "
            f"{more(config, name, 1 << (need - 1).bit_length())}",
        )
    parts = [
        assemble(text)
        for text in (refinement_text(config, memory, factor, exponent), *step_texts(memory))
    ]
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
    memory = Memory(program.size, program.config.array.rows)
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
    memory = Memory(program.size, program.config.array.rows)
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
    memory = Memory(program.size, program.config.array.rows)
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
