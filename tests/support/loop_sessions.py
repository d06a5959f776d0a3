"""Sessions of a host with a chip that solves systems; they run inside the simulator."""

import numpy as np

from ohmulator.host.errors import ProgramError
from ohmulator.host.tb_chip import SimulatedChip
from ohmulator.solver import Solver
from spec.assembly import assemble
from spec.isa import ANSWER_WORDS, ErrorCode, Space

SIDES, FEEDBACK, ANSWERS = 0, 100, 200
"""Addresses in the vector memory."""

PROGRAM = f"""
        SET s0, {ANSWERS}
        SET s1, {SIDES}
        SET s2, {FEEDBACK}
        INV s0, s1, s2, s3, s4, 0
        HALT
"""
"""Of which the host sets s3, the first ADC step, and s4, the number of systems."""


def system(chip: SimulatedChip, size: int, seed: int) -> np.ndarray:
    """Load a matrix [size, size] that is well conditioned, and its program; return its weights."""
    config, host = chip.config, chip.host
    rng = np.random.default_rng(seed)
    low, high = config.weight_range
    weights = rng.integers(low // 8, high // 8 + 1, (size, size)) + np.eye(size, dtype=int) * (
        high // 2
    )
    host.write(Space.WEIGHT, 0, weights.ravel() % (1 << 32))
    host.write(Space.DESCRIPTOR, 0, [size, size, 0, config.machine.tiles - 1])
    host.write(Space.PROGRAM, 0, np.array(assemble(PROGRAM), "<u8").view("<u4"))
    return weights


def solve(chip: SimulatedChip, sides: np.ndarray, feedback: np.ndarray, step: int) -> np.ndarray:
    """Solve for sides [n, m]; return the words [n, m + ANSWER_WORDS] of the answers."""
    host = chip.host
    count, size = sides.shape
    host.write(Space.VECTOR, SIDES, sides.ravel() % (1 << 32))
    host.write(Space.VECTOR, FEEDBACK, feedback % (1 << 32))
    host.write(Space.SCALAR, 2 * 3, [step, 0, count, 0])
    host.run(0)
    words = host.read(Space.VECTOR, ANSWERS, count * (size + ANSWER_WORDS))
    return np.array(words, np.uint32).view(np.int32).reshape(count, -1)


def systems(chip: SimulatedChip, seeds: list[int]) -> tuple[list[float], dict[str, int]]:
    """Solve systems of several sizes; return how far off answers are, and the counters with the
    cycles of the op-amps that the model expects.

    An answer x is as good as the system that cells and feedback hold makes the side of it.
    """
    cycles = 0
    size = chip.config.array.rows
    top = chip.config.inversion.inv_steps - 1
    errors = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        unknowns = size - seed % 3
        system(chip, unknowns, seed)
        feedback = np.full(size, 16 + seed % 5)
        feedback[unknowns:] = 64
        scale = 10 ** rng.integers(0, 9)
        sides = rng.integers(-scale, scale + 1, (3, unknowns))
        words = solve(chip, sides, feedback, int(rng.integers(0, top + 1)))
        loop = chip.lockstep.model.tiles[-1].analog.inversion
        cycles += len(sides) * loop.loop_cycles
        held = loop.weights[:unknowns, :unknowns]
        for side, answer in zip(sides, words, strict=True):
            x = np.ldexp(answer[:unknowns], int(answer[unknowns]))
            off = np.linalg.norm(held @ x - side) / max(1, np.linalg.norm(side))
            errors.append(float(off))
    return errors, chip.host.counters() | {"expected": cycles}


def unsettled(chip: SimulatedChip, _: None) -> ErrorCode:
    """Solve by a loop that cannot settle: return the code with which the program stops."""
    system(chip, chip.config.array.rows, 1)
    host = chip.host
    weights = -np.eye(chip.config.array.rows, dtype=int) * chip.config.weight_range[1]
    host.write(Space.WEIGHT, 0, weights.ravel() % (1 << 32))
    host.write(Space.DESCRIPTOR, 0, [*weights.shape, 0, 0])
    try:
        solve(chip, np.ones((2, len(weights)), int), np.zeros(len(weights), int), 3)
    except ProgramError as error:
        return error.code
    return ErrorCode.NONE


def refinements(
    chip: SimulatedChip, argument: tuple[list[np.ndarray], int, bool]
) -> tuple[list[float], list[dict[str, int]]]:
    """Refine the solutions of some matrices for a number of iterations, each on a blank chip.

    The tile of products is set; that of the loop is as well, or is programmed by pulses. Return
    relative errors, and counters of each.
    """
    matrices, iterations, pulses = argument
    errors, counters = [], []
    for seed, matrix in enumerate(matrices):
        chip.reset()
        solver = Solver(matrix, method="refine", host=chip.host, set_tile=chip.set_tile)
        if pulses:
            chip.set_tile(0, np.zeros([chip.config.array.rows] * 2, np.int64))
            chip.host.write(Space.HOLDING, 0, [0, 0])
        known = np.random.default_rng(1000 + seed).standard_normal(len(matrix))
        found = solver.solve(matrix @ known, tolerance=1e-14, iterations=iterations)
        errors.append(float(np.linalg.norm(found.best - known) / np.linalg.norm(known)))
        counters.append(chip.host.counters())
    return errors, counters
