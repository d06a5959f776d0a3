"""The programs of a refinement, in assembly, and where they keep what."""

import enum
from dataclasses import dataclass

from spec.config import ChipConfig
from spec.isa import ANSWER_WORDS, WORD_RANGE

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


STEP = 14
"""Scalar of the ADC step from which on a single solution is converted."""

SCALE, TARGET, WHY = 9, 10, 14
"""Scalars of the exponent of the solution, of the exponent at which it ends, behind which stand the
iterations left, and of why it ended."""


class End(enum.IntEnum):
    """Why a refinement ended, as the program says it in scalar s14."""

    TOLERANCE = 1
    BOUND = 2
    DIVERGED = 3
    STAGNATED = 4


@dataclass(frozen=True)
class Memory:
    """Addresses in the vector memory, for a number of unknowns and the rows of a tile."""

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


def step_texts(memory: Memory) -> tuple[str, str]:
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


def refinement_text(config: ChipConfig, memory: Memory, factor: int, exponent: int) -> str:
    """Return the program of a refinement.

    The loop holds the matrix in another scale, `factor` 2^`exponent` times that of the products.
    """
    return _beginning(config, memory) + _iteration(config, memory, factor, exponent)


def _beginning(config: ChipConfig, memory: Memory) -> str:
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
"""


def _iteration(config: ChipConfig, memory: Memory, factor: int, exponent: int) -> str:
    first = config.inversion.inv_adc_bits - 1 - SOLUTION_BITS
    return f"""
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
        ADDI s14, s14, {exponent + FACTOR_BITS}
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
