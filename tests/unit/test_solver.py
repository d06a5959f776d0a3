"""Systems of many kinds, solved on a modelled chip: right, or told to be unsolved."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sl

from ohmulator.solver import Method, Reason, Schwarz, Solver
from ohmulator.solver.inverses import Inverses
from ohmulator.solver.partition import graph_of, grown, parts
from ohmulator.solver.preparation import prepare
from spec.errors import UserError
from spec.load import load
from tests.support.systems import definite, poisson, skewed

RNG = np.random.default_rng(0)


def solved(matrix, *, tolerance=1e-7, seed=0, **options):
    dense = matrix.toarray() if sp.issparse(matrix) else matrix
    known = np.random.default_rng(seed).standard_normal(dense.shape[1])
    side = dense @ known
    solution = Solver(matrix, **options).solve(side, tolerance=tolerance)
    assert solution.solved, solution.reason
    left = np.linalg.norm(side - dense @ solution.x) / np.linalg.norm(side)
    assert left <= tolerance and solution.residual == pytest.approx(left, rel=1e-6)
    return solution, np.linalg.norm(solution.x - known) / np.linalg.norm(known)


@pytest.mark.parametrize("size", [1, 2, 5, 16])
def test_definite_systems_are_refined(size):
    solution, error = solved(definite(size, 3, size))
    assert solution.method is Method.REFINE and solution.iterations <= 12
    assert error < 1e-6 and (size == 1 or solution.identity > 1e3 * solution.residual)


@pytest.mark.parametrize("size", [3, 12, 20])
def test_general_systems_go_by_fgmres_where_refinement_would_not(size):
    _, error = solved(np.random.default_rng(size).standard_normal((size, size)))
    assert error < 1e-4


def test_a_system_is_not_its_transpose():
    matrix = skewed(8, 3, 1)
    known = RNG.standard_normal(8)
    for each in (matrix, matrix.T):
        solution = Solver(each, method="refine").solve(each @ known)
        np.testing.assert_allclose(solution.x, known, atol=1e-6)


def test_complex_systems_are_solved_in_real_ones_of_double_size():
    matrix = RNG.standard_normal((6, 6)) + 1j * RNG.standard_normal((6, 6))
    known = RNG.standard_normal(6) + 1j * RNG.standard_normal(6)
    solver = Solver(matrix)
    assert solver.size == 12
    solution = solver.solve(matrix @ known)
    np.testing.assert_allclose(solution.x, known, atol=1e-5)


def test_least_squares_are_those_of_numpy():
    matrix, side = RNG.standard_normal((20, 6)), RNG.standard_normal(20)
    solution = Solver(matrix, least_squares=True).solve(side, tolerance=1e-8)
    np.testing.assert_allclose(solution.x, np.linalg.lstsq(matrix, side, rcond=None)[0], atol=1e-6)


@pytest.mark.parametrize("scales", [(-25, 9), (-6, 6)])
def test_entries_may_differ_by_many_orders(scales):
    rows, columns = 10.0 ** RNG.uniform(*scales, 8), 10.0 ** RNG.uniform(-3, 3, 8)
    matrix = rows[:, None] * definite(8, 4, 2) * columns
    known = RNG.standard_normal(8) / columns
    solution = Solver(matrix).solve(matrix @ known)
    assert solution.solved
    left = (matrix @ (solution.x - known)) / np.abs(matrix @ known).max()
    assert np.abs(left).max() <= 1e-6


@pytest.mark.parametrize(
    "matrix", [np.ones((4, 4)), 1 / (np.arange(12)[:, None] + np.arange(12) + 1.0)]
)
def test_what_has_no_solution_to_speak_of_is_told(matrix):
    solution = Solver(matrix).solve(np.arange(len(matrix)) + 1.0)
    assert not solution.solved and solution.x is None
    assert solution.reason is Reason.CONDITION


def test_an_iteration_that_cannot_go_on_says_why():
    matrix = np.random.default_rng(32).standard_normal((24, 24))
    few = Solver(matrix).solve(np.ones(24), iterations=2)
    assert few.reason is Reason.BOUND and few.iterations == 2 and not few.solved
    wrong = Solver(matrix, method="refine").solve(np.ones(24))
    assert wrong.reason in (Reason.DIVERGED, Reason.STAGNATED) and not wrong.solved
    rough = load("solver", program_error=0.3)
    products = Solver(definite(16, 3, 0), rough).solve(np.ones(16))
    assert products.reason is Reason.PRODUCTS and not products.solved
    coarse = load("solver", slices=2)
    weights = Solver(definite(16, 3, 0), coarse).solve(np.ones(16))
    assert weights.reason is Reason.WEIGHTS and not weights.solved


def test_a_chip_programmed_once_serves_many_right_hand_sides():
    matrix = definite(10, 3, 3)
    solver = Solver(matrix)
    before = solver.realisations
    for seed in range(3):
        known = np.random.default_rng(seed).standard_normal(10)
        solution = solver.solve(matrix @ known)
        assert solution.counts.settles >= solution.iterations
        np.testing.assert_allclose(solution.x, known, atol=1e-6)
    assert solver.realisations is before
    zero = solver.solve(np.zeros(10))
    assert zero.solved and not zero.x.any()


def test_cells_of_the_loop_decide_its_history():
    matrix = definite(16, 3, 4)
    config = load("solver")
    histories = [Solver(matrix, config.replace(seed=seed)).solve(np.ones(16)) for seed in (0, 0, 1)]
    assert histories[0].residuals == histories[1].residuals != histories[2].residuals
    wires = Solver(matrix, config.replace(r_word_ohm=20.0, r_bit_ohm=20.0)).solve(np.ones(16))
    assert wires.residuals != histories[0].residuals


def test_the_chip_is_an_operator_of_scipy():
    matrix = poisson(8)
    solver = Solver(matrix)
    known = RNG.standard_normal(64)
    side = matrix @ known
    np.testing.assert_allclose(solver.product() @ known, side, atol=1e-5)
    products = {}
    # A flexible method of SciPy: the answers of the chip are not quite linear.
    for inverse in (None, solver.preconditioner()):
        count = []
        operator = sl.LinearOperator(
            matrix.shape, matvec=lambda v, count=count: count.append(0) or matrix @ v
        )
        found, failed = sl.gcrotmk(operator, side, M=inverse, rtol=1e-6, m=30)
        assert not failed
        np.testing.assert_allclose(found, known, atol=1e-4)
        products[inverse is None] = len(count)
    assert products[False] < 0.5 * products[True]


@pytest.mark.parametrize("size, rows, loops", [(16, 8, 2), (16, 4, 4), (13, 4, 4), (21, 4, 6)])
def test_blocks_invert_what_is_larger_than_an_array(size, rows, loops):
    matrix = definite(size, 3, size)
    config = load("solver", rows=rows, columns=rows, adcs=rows, slices=10)
    solver = Solver(matrix, config)
    assert len(solver.loops) == loops
    known = RNG.standard_normal(size)
    solution = solver.solve(matrix @ known)
    assert solution.solved and solution.iterations <= 15
    np.testing.assert_allclose(solution.x, known, atol=1e-6)


def test_a_singular_leading_block_is_named():
    matrix = np.block([[np.ones((4, 4)), np.eye(4)], [np.eye(4), np.zeros((4, 4))]])
    config = load("solver", rows=4, columns=4, adcs=4)
    inverses = Inverses(config, Solver(np.eye(4)).counts, 1.0)
    with pytest.raises(UserError, match="the leading block of 4 x 4 is nearly singular"):
        inverses.by_blocks(matrix, 1.0)


def test_sparse_systems_spread_over_many_arrays():
    matrix = poisson(20)
    known = RNG.standard_normal(400)
    config = load("solver", rows=32, columns=32, adcs=32, adc_bits=11)
    counts = {}
    for coarse in (False, True):
        solver = Schwarz(matrix, config, coarse=coarse)
        solution = solver.solve(matrix @ known)
        assert solution.solved and len(solver.loops) >= 25
        np.testing.assert_allclose(solution.x, known, atol=1e-4)
        counts[coarse] = solution.iterations
        assert solution.identity > 100 * solution.residual
    assert counts[True] < 0.7 * counts[False]


def test_parts_cover_every_unknown_once_and_grow_by_neighbours():
    graph = graph_of(poisson(15))
    cores = list(parts(graph, 16))
    assert sorted(np.concatenate(cores)) == list(range(225))
    assert max(map(len, cores)) <= 16
    for core in cores:
        whole = grown(graph, core, 32)
        assert len(whole) <= 32 and list(whole[: len(core)]) == list(core)
        assert len(set(whole)) == len(whole)
    apart = graph_of(sp.block_diag([poisson(3), poisson(4)], format="csr"))
    assert sorted(np.concatenate(list(parts(apart, 5)))) == list(range(25))


@pytest.mark.parametrize("scaled", [False, True])
def test_preparation_is_undone_exactly(scaled):
    matrix = 10.0 ** RNG.uniform(-8, 8, (9, 9)) * RNG.choice([-1, 1], (9, 9))
    prepared = prepare(matrix, scaled=scaled)
    rebuilt = np.empty((9, 9))
    rebuilt[prepared.rows] = prepared.matrix / prepared.row_factors[:, None]
    np.testing.assert_array_equal(rebuilt / prepared.column_factors, matrix)
    assert (np.diag(prepared.matrix) > 0).all()
    if scaled:
        assert (np.abs(np.log2(np.abs(prepared.matrix).max(axis=0))) <= 1.5).all()


@pytest.mark.parametrize(
    "matrix, said",
    [
        (np.zeros((3, 3)), "singular, whatever its entries"),
        (np.array([[0, 1.0], [0, 2]]), "singular, whatever its entries"),
        ([[1, np.nan], [0, 1]], r"entry \(0, 1\) is nan"),
        ([[np.inf]], r"entry \(0, 0\) is inf"),
        (np.zeros((0, 0)), r"the shape \(0, 0\)"),
        (np.ones(3), r"the shape \(3,\)"),
        (np.ones((3, 2)), "of 3 x 2 is not square: ask for least squares"),
        ([["a"]], "must be numbers"),
        ([[1, 2], [3]], "must be numbers"),
        (None, "shape"),
        (np.eye(300), "larger than an array of 256 rows"),
    ],
)
def test_bad_matrices_are_refused(matrix, said):
    with pytest.raises(UserError, match=said):
        Solver(matrix)


@pytest.mark.parametrize("b", [np.ones(2), np.ones((3, 0)), [1, 2, np.inf], ["a"] * 3, [1j] * 3])
def test_bad_right_hand_sides_are_refused(b):
    with pytest.raises(UserError, match="right-hand side"):
        Solver(np.eye(3)).solve(b)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"tolerance": 0}, "tolerance must be"),
        ({"tolerance": np.nan}, "tolerance must be"),
        ({"iterations": 0}, "iterations must be"),
        ({"iterations": 1.5}, "iterations must be"),
    ],
)
def test_bad_options_are_refused(options, said):
    with pytest.raises(UserError, match=said):
        Solver(np.eye(3)).solve(np.ones(3), **options)
    with pytest.raises(UserError, match="method must be one of auto, refine, fgmres"):
        Solver(np.eye(3), method="lu")


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"input_bits": 6}, "input_bits must be at least inv_adc_bits"),
        ({"adc_bits": 6}, "a solver needs exact products"),
        ({"columns": 8, "adcs": 8}, "as many rows as columns"),
        ({"feedback_bits": 1, "feedback_fraction_bits": 1}, "raise feedback_bits"),
    ],
)
def test_chips_that_cannot_solve_are_refused(fields, said):
    matrix = np.random.default_rng(1).standard_normal((8, 8))
    with pytest.raises(UserError, match=said):
        Solver(matrix, load("solver", **fields))


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
def test_ten_iterations_reach_24_bits(make, condition, bits, most):
    errors = []
    for seed in range(50):
        matrix = make(16, condition, seed)
        known = np.random.default_rng(1000 + seed).standard_normal(16)
        config = load("solver", inv_dac_bits=bits, inv_adc_bits=bits, seed=seed)
        solver = Solver(matrix, config, method="refine")
        found = solver.solve(matrix @ known, tolerance=1e-14, iterations=10)
        errors.append(np.linalg.norm(found.best - known) / np.linalg.norm(known))
    assert np.median(errors) <= most
