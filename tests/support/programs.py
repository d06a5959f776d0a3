"""Random programs for the machine, in the sense of hypothesis: they shrink to small ones.

Most of their instructions find operands that they accept, set right before them; some are wild.
Loops may be endless: bound the number of instructions, and abort.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from golden.machine.effects import Effects
from golden.machine.machine import Machine
from ohmulator.compiler.words import to_words
from spec.assembly import disassemble
from spec.config import ChipConfig
from spec.instruction import Instruction
from spec.isa import (
    INSTRUCTION_BITS,
    OPERATIONS,
    RIGHT_SHIFTS,
    SCALAR_RANGE,
    SCALARS,
    SHIFTS,
    TILE_OPCODES,
    WORD_BITS,
    WORD_RANGE,
    Immediate,
    Opcode,
    Space,
)

WORDS = st.integers(*WORD_RANGE)
SMALL = st.integers(-9, 9)
LONGEST = 9
"""Length of vectors, so that several fit a small memory."""


@dataclass(frozen=True)
class Scenario:
    """A program with everything that it finds in the chip."""

    config: ChipConfig
    program: list[int]
    descriptors: list[tuple[int, int, int, int]]
    seed: int

    def writes(self) -> list[tuple[Space, int, NDArray[np.uint32]]]:
        """Return what the host writes before the run: space, address and words."""
        rng = np.random.default_rng(self.seed)
        # Magnitudes from those that fit any converter to those that saturate everything.
        bits = rng.integers(1, WORD_BITS, self.config.machine.vector_words)
        vector = rng.integers(-1 << bits, 1 << bits)
        low, high = self.config.weight_range
        weights = rng.integers(low, high + 1, self.config.machine.weight_words)
        return [
            (Space.VECTOR, 0, to_words(vector)),
            (Space.PROGRAM, 0, np.array(self.program, "<u8").view("<u4")),
            (Space.WEIGHT, 0, to_words(weights)),
            (Space.DESCRIPTOR, 0, to_words(np.array(self.descriptors))),
        ]

    def __repr__(self) -> str:
        return (
            f"Scenario of {self.config!r},\ndescriptors {self.descriptors}, seed {self.seed}:\n"
            f"{disassemble(self.program)}"
        )


def trace(machine: Machine, limit: int) -> Iterator[Effects]:
    """Run the program at 0 for at most `limit` instructions; go on behind those that fault."""
    machine.start()
    for _ in range(limit):
        effects = machine.step()
        yield effects
        if not machine.status.running:
            if effects.pc >= machine.config.machine.program_words:
                return
            machine.start(effects.pc + 1)
    machine.abort()


@st.composite
def scenarios(draw: st.DrawFn, config: ChipConfig) -> Scenario:
    """Draw a scenario for a chip of at least 64 words and 32 instructions."""
    shape = st.tuples(
        st.integers(1, LONGEST),
        st.integers(1, LONGEST),
        st.integers(0, max(0, config.machine.weight_words - LONGEST**2)),
        st.integers(0, config.machine.tiles - 1),
    )
    wild = st.tuples(*[st.integers(0, (1 << WORD_BITS) - 1) | st.integers(0, 99)] * 4)
    count = config.machine.matrices
    if config.machine.invertible:
        # Only such a matrix can be in a loop.
        square = st.integers(1, config.array.rows).flatmap(
            lambda size: st.tuples(st.just(size), st.just(size), *[st.integers(0, 1)] * 2)
        )
        shape = square | shape
    descriptors = draw(st.lists(_mostly(shape, wild), min_size=count, max_size=count))
    parts = draw(
        st.lists(_with_operands(config), min_size=1, max_size=config.machine.program_words)
    )
    program: list[int] = []
    for part in parts:
        if len(program) + len(part) <= config.machine.program_words:
            program += part
    return Scenario(config, program, descriptors, draw(st.integers(0, 999)))


def _mostly(usual: st.SearchStrategy, rare: st.SearchStrategy) -> st.SearchStrategy:
    """Draw from `usual`, the simpler one, but one time in ten from `rare`."""
    return st.integers(0, 9).flatmap(lambda choice: rare if choice == 9 else usual)


@st.composite
def _with_operands(draw: st.DrawFn, config: ChipConfig) -> list[int]:
    """Draw the words of an instruction and of those that set its operands."""
    if draw(st.integers(0, 49)) == 49:
        return [draw(st.integers(0, (1 << INSTRUCTION_BITS) - 1))]
    opcode = draw(st.sampled_from(Opcode))
    operation = OPERATIONS[opcode]
    numbers = draw(st.permutations(range(SCALARS)))
    scalars = dict(zip(operation.scalars, numbers, strict=False))
    words: list[int] = []
    wild = st.integers(*SCALAR_RANGE) | SMALL
    for field, number in scalars.items():
        value = draw(_mostly(_operand(config, opcode, field), wild))
        high, low = divmod(value, 1 << WORD_BITS)
        low -= (low >> (WORD_BITS - 1)) << WORD_BITS
        words.append(Instruction(Opcode.SET, d=number, immediate=low).encode())
        if value != low:
            words.append(Instruction(Opcode.SETH, d=number, immediate=high).encode())
    immediate = draw(_immediate(config, opcode))
    return [*words, Instruction(opcode, **scalars, immediate=immediate).encode()]


def _operand(config: ChipConfig, opcode: Opcode, field: str) -> st.SearchStrategy[int]:
    """Draw what an instruction usually accepts in a field."""
    operation = OPERATIONS[opcode]
    if field in operation.sources or field == operation.destination:
        # A grid, so that vectors often coincide and rarely overlap.
        step = 2 * LONGEST
        return st.sampled_from(range(0, config.machine.vector_words - step, step)) | st.integers(
            0, config.machine.vector_words - 1
        )
    match opcode, field:
        case _, "n" if opcode in TILE_OPCODES:
            return st.integers(0, 2)
        case _, "n":
            return st.integers(0, LONGEST)
        case Opcode.VSHIFT, "c":
            return st.integers(*SHIFTS)
        case ((Opcode.VSCALE | Opcode.MVM | Opcode.MVM_T), "c"):
            return st.integers(RIGHT_SHIFTS[0], RIGHT_SHIFTS[1]) | st.integers(0, 3)
        case Opcode.VSCALE, _:
            return WORDS | SMALL
        case Opcode.VCLAMP, "b":
            return st.integers(-99, 0)
        case Opcode.VCLAMP, "c":
            return st.integers(0, 99)
        case ((Opcode.LOAD | Opcode.STORE), "a"):
            return st.integers(LONGEST, config.machine.vector_words - 1 - LONGEST)
        case Opcode.INV, "c":
            return st.integers(0, config.inversion.inv_steps - 1)
        case Opcode.STEP, _:
            return st.integers(*config.step_range)
        case _:
            return SMALL | st.integers(*SCALAR_RANGE)


def _immediate(config: ChipConfig, opcode: Opcode) -> st.SearchStrategy[int]:
    match OPERATIONS[opcode].immediate:
        case Immediate.NONE:
            return st.just(0)
        case Immediate.TARGET:
            usual = st.integers(0, config.machine.program_words - 1)
        case Immediate.MATRIX:
            usual = st.integers(0, config.machine.matrices - 1)
        case Immediate.STEP:
            usual = st.integers(0, config.steps - 1)
        case _:
            usual = SMALL
    return _mostly(usual, WORDS)
