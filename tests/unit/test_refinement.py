"""Refinement as a program of the chip, on the machine of the model."""

import numpy as np
import pytest

from golden.machine.machine import Machine
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from ohmulator import Solver
from ohmulator.compiler import refinement
from ohmulator.compiler.refinement import compile_refinement, refine
from ohmulator.compiler.refinement_text import End
from ohmulator.host import Host, ModelCarrier
from ohmulator.jobs.solve_rtl import chip_config
from ohmulator.solver.on_chip import SetTile
from ohmulator.solver.outcome import Method, Reason
from spec.config import ChipConfig
from spec.errors import UserError
from spec.load import load
from tests.support.systems import definite, skewed


def made_for(matrix, iterations: int = 60, **fields) -> ChipConfig:
    """Return a chip for a matrix: with the scales that a solver chooses for it."""
    return chip_config(Solver(matrix).config.replace(**fields), iterations)


def chip_of(config: ChipConfig) -> tuple[Machine, Host, SetTile]:
    """Return a chip of the model, its host, and what sets its tiles."""
    machine = Machine(config)

    def set_tile(tile: int, weights: np.ndarray, error: float) -> None:
        own = machine.tiles[tile].analog.config.replace(program_error=error)
        machine.tiles[tile] = Tile(config, Analog.programmed(own, weights))

    return machine, Host(ModelCarrier(machine), config), set_tile


def solver_on(config: ChipConfig, matrix, **options) -> tuple[Solver, Machine]:
    """Return a solver on a chip of the model, and the chip."""
    machine = Machine(config)
    return Solver(matrix, host=Host(ModelCarrier(machine), config), **options), machine


@pytest.mark.parametrize("matrix", [definite(8, 3, 1), skewed(7, 3, 2)], ids=["spd", "skewed"])
@pytest.mark.parametrize("method", [Method.REFINE, Method.FGMRES])
def test_systems_are_solved_on_a_chip(matrix, method):
    known = np.random.default_rng(3).standard_normal(len(matrix))
    solver, machine = solver_on(made_for(matrix), matrix, method=method)
    solution = solver.solve(matrix @ known, iterations=40)
    assert solution.solved and solution.method is method
    assert np.linalg.norm(solution.x - known) <= 1e-6 * np.linalg.norm(known)
    assert solution.identity > 100 * solution.residual
    assert solution.counts.settles == machine.tile_counters[0]["settles"] > 0
    assert machine.chip_counters["saturations"] == 0


def test_the_program_does_it_alone():
    """Between the right-hand side and the solution the host sends nothing but the run."""
    matrix = definite(6, 3, 4)
    solver, machine = solver_on(made_for(matrix), matrix, method=Method.REFINE)
    starts = []
    start = machine.start
    machine.start = lambda pc=0: starts.append(pc) or start(pc)
    solution = solver.solve(matrix @ np.ones(6), iterations=40)
    assert solution.solved and starts == [0]
    assert machine.tile_counters[0]["settles"] == solution.iterations > 3


def test_another_cell_gives_another_history():
    matrix = definite(6, 3, 5)
    histories = []
    for moved in (False, True):
        solver, machine = solver_on(made_for(matrix), matrix, method=Method.REFINE)
        solver.solve(matrix @ np.ones(6), iterations=1)
        if moved:
            cells = machine.tiles[0].analog.array.cells
            cells.stick([-1 % solver.config.array.slices], [0], [0], [30e-6])
        result = solver._on_chip.refine(matrix @ np.ones(6), 1e-7, 3, None)
        histories.append(result.solution)
    assert not np.array_equal(*histories)


def test_the_residual_is_the_sides_less_exact_products():
    """Against integers of Python, whatever the loop says."""
    matrix = skewed(5, 3, 6)
    config = made_for(matrix)
    solver, machine = solver_on(config, matrix, method=Method.REFINE)
    program = solver._on_chip._program
    side = np.array([1 << 29, -(1 << 28), 12345, -1, 7])
    found = refine(machine, program, side, exponent=-1000, bound=3)
    assert found.end is End.BOUND and len(found.residuals) == 4
    x = [int(word) for word in found.words]
    shift = -found.exponent
    exact = [
        (int(s) << shift) - sum(int(w) * v for w, v in zip(row, x, strict=True))
        for s, row in zip(side, program.weights, strict=True)
    ]
    largest = max(map(abs, exact)) / 2**shift
    assert largest <= 2.0 ** found.residuals[-1] * 1.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"invertible": False}, "a refinement needs a chip that solves: set invertible to true"),
        ({"tiles": 1}, "a refinement needs a tile for the loop and one for products"),
        ({"matrices": 1}, "a refinement needs a tile for the loop and one for products"),
        ({"vector_words": 32}, "a refinement of 8 unknowns needs 43 vector_words, and the chip"),
        ({"weight_words": 127}, "a refinement of 8 unknowns needs 128 weight_words, and the chip"),
        ({"program_words": 32}, "and the chip 32 program_words: raise program_words to"),
    ],
)
def test_chips_that_are_too_small_are_refused(changes, message):
    config = chip_config(load("solver", rows=8, columns=8, adcs=8), 10).replace(**changes)
    with pytest.raises(UserError, match=message):
        compile_refinement(config, np.eye(8, dtype=int), np.eye(8, dtype=int), [9] * 8, 1 << 15, 0)


def test_a_system_larger_than_the_arrays_of_the_chip_is_refused():
    config = chip_config(load("solver", rows=8, columns=8, adcs=8), 10)
    with pytest.raises(UserError, match="a system of 9 real unknowns is larger than an array of"):
        solver_on(config, definite(9, 3, 0))


def test_a_loop_that_does_not_settle_is_a_reason():
    matrix = definite(6, 3, 7)
    config = made_for(matrix)
    solver, machine = solver_on(config, matrix, method=Method.REFINE)
    machine.tiles[0].analog.inversion.config = config.replace(inv_bound_s=0.0)
    course = solver._on_chip.refine(matrix @ np.ones(6), 1e-7, 5, None)
    assert course.reason is Reason.UNSETTLED


def test_products_are_exact_whatever_their_size():
    matrix = definite(8, 3, 8)
    solver, machine = solver_on(made_for(matrix), matrix)
    rng = np.random.default_rng(0)
    program = solver._on_chip._program
    for low, high in ((-128, 127), (-1, 1), (0, 0), (-128, -128)):
        codes = rng.integers(low, high + 1, 8)
        found = refinement.multiply(machine, program, codes)
        assert found.tolist() == (program.weights.astype(object) @ codes.astype(object)).tolist()
    assert machine.chip_counters["saturations"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "make, condition, bits, most",
    [
        (definite, 3, 4, 1.5e-7),
        (definite, 8, 4, 1e-6),
        (skewed, 3, 4, 5e-7),
        (skewed, 3, 5, 1.5e-7),
    ],
)
def test_ten_iterations_of_the_program_reach_24_bits(make, condition, bits, most):
    """Of 50 matrices, on cells of the loop that are off by 0.1 level."""
    errors = []
    for seed in range(50):
        matrix = make(16, condition, seed)
        known = np.random.default_rng(1000 + seed).standard_normal(16)
        config = chip_config(load("solver", inv_dac_bits=bits, inv_adc_bits=bits, seed=seed), 10)
        _, host, set_tile = chip_of(config)
        solver = Solver(matrix, method=Method.REFINE, host=host, set_tile=set_tile)
        found = solver.solve(matrix @ known, tolerance=1e-14, iterations=10)
        errors.append(np.linalg.norm(found.best - known) / np.linalg.norm(known))
    assert np.median(errors) <= most
