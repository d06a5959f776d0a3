"""Solve systems of equations on a chip, and say how well: `make solve`."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from environment.files import Outputs, json_text
from ohmulator import cli
from ohmulator.jobs.systems import read_matrix, require_readable
from spec.config import ChipConfig
from spec.consistency import require_invertible
from spec.errors import require, require_number
from spec.load import load, locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ohmulator.jobs.screen import Screen
    from ohmulator.solver import Schwarz, Solution, Solver

NOT_SOLVED = 3
"""Exit status where there is no answer."""

BACKENDS = "model", "sim"

METHODS = "auto", "refine", "fgmres"
"""Names of `ohmulator.solver.Method`, which takes long to import."""


class Task(NamedTuple):
    """What is to be solved."""

    name: str
    matrix: Any
    """Array or sparse matrix [m, n]."""
    sides: "NDArray[Any]"
    """Right-hand sides [m, k]."""
    known: "NDArray[Any] | None"
    """Their solutions [n, k], if they were made from some."""
    least_squares: bool


@cli.job
def main(argv: Sequence[str]) -> int:
    args = options(argv)
    config = None
    if args.config is not None:
        config = load(args.config)
        require_invertible(config)
    inputs = {"the matrix": args.a, "the right-hand side": args.b}
    read = {what: path for what, path in inputs.items() if path is not None}
    for path in read.values():
        require_readable(path)
    if args.config is not None:
        read["the configuration"] = locate(args.config)
    files = {
        "the solution": args.out,
        # A path without a name is refused, as the solution's.
        "the picture": args.out.with_suffix(".png") if args.out.name else args.out / "x.png",
        "the figures": args.json,
    }
    outputs = Outputs(files, read)
    task = task_of(args)

    from ohmulator.jobs.screen import Screen

    screen = Screen()
    with screen.status("choosing levels and feedback"):
        solver = solver_of(task, config, args.method)
    if args.backend == "sim":
        solutions = simulate(screen, solver, task, args)
    else:
        solutions = solve(screen, solver, task, args)

    from ohmulator.jobs import solve_report

    report = solve_report.Report(task, solver, solutions, args.tol, args.backend)
    contents: dict[str, str | bytes] = {
        "the picture": report.picture(),
        "the figures": json_text(report.figures()),
    }
    if report.solved:
        contents["the solution"] = saved(report.solution, flat=task.sides.shape[1] == 1)
    outputs.write(contents)
    report.show(screen)
    cli.say(f"picture  {files['the picture']}")
    if report.solved:
        cli.say(f"solution {args.out}")
    cli.say(report.verdict)
    return 0 if report.solved else NOT_SOLVED


def options(argv: Sequence[str]) -> Any:
    parser = cli.Parser(
        "solve",
        "Without a matrix it fits the diabetes data of scikit-learn, 10 unknowns. The exit status "
        "is 3 where there is no answer.",
    )
    meaning = "matrix, a Matrix Market file (.mtx) or an array of NumPy (.npy)"
    parser.add_argument("--a", type=Path, metavar="FILE", help=meaning)
    meaning = "right-hand side, or several as columns (default: those of a random solution)"
    parser.add_argument("--b", type=Path, metavar="FILE", help=meaning)
    meaning = "preset or TOML file (default: solver, with arrays of the size of the system)"
    parser.add_argument("--config", metavar="NAME", help=meaning)
    parser.choice("method", "auto", METHODS, "how it is solved")
    meaning = "model, or sim: in Verilog (default: sim without a matrix, else model)"
    parser.add_argument("--backend", choices=BACKENDS, metavar="NAME", help=meaning)
    parser.add_argument("--lsq", action="store_true", help="solve for the least squares")
    meaning = "relative residual to reach (default: %(default)s)"
    parser.add_argument("--tol", default="1e-7", metavar="NUMBER", help=meaning)
    parser.integer("count", 200, 1, 100_000, "iterations at most")
    parser.seed("of the random solution")
    parser.out("out/solve/x.npy", "file for the solution; a picture beside it", "FILE")
    parser.json()
    args = parser.read(argv)
    require(args.b is None or args.a is not None, "b needs a: give the matrix of its system")
    args.tol = tolerance(args.tol)
    args.backend = args.backend or ("sim" if args.a is None else "model")
    return args


def tolerance(text: str) -> float:
    """Return the tolerance of the command line.

    Raises
    ------
    UserError
        If it is no number from 1e-14 to 1.
    """
    try:
        value: object = float(text)
    except ValueError:
        value = text
    return require_number("tol", value, 1e-14, 1.0, "of the right-hand side")


def task_of(args: Any) -> Task:
    """Return what the command line asks for.

    Raises
    ------
    UserError
        If a file is refused, or the right-hand side does not fit the matrix.
    """
    import numpy as np

    if args.a is None:
        from sklearn.datasets import load_diabetes

        data, target = load_diabetes(return_X_y=True)
        return Task("diabetes", data, target[:, None], None, True)
    matrix = read_matrix(args.a)
    require(matrix.ndim == 2, f"{args.a} must be a matrix [m, n], not {matrix.ndim}-dimensional")
    if args.b is not None:
        sides = read_matrix(args.b)
        rows = len(sides) if sides.ndim else 0
        require(
            sides.ndim in (1, 2) and rows == matrix.shape[0],
            f"{args.b} must have {matrix.shape[0]} rows, as the matrix has, not {rows}",
        )
        return Task(args.a.stem, matrix, sides.reshape(rows, -1), None, args.lsq)
    known = np.random.default_rng(args.seed).standard_normal((matrix.shape[1], 1))
    return Task(args.a.stem, matrix, matrix @ known, known, args.lsq)


def solver_of(task: Task, config: ChipConfig | None, method: str) -> "Solver | Schwarz":
    """Return the solver for a system: many arrays for a sparse one that one array cannot hold."""
    from scipy.sparse import issparse

    from ohmulator.solver import Schwarz, Solver
    from ohmulator.solver.choice import LARGEST

    if issparse(task.matrix) and min(task.matrix.shape) > LARGEST:
        require(not task.least_squares, f"least squares need at most {LARGEST} unknowns")
        return Schwarz(task.matrix, config)
    return Solver(task.matrix, config, method=method, least_squares=task.least_squares)


def solve(screen: "Screen", solver: "Solver | Schwarz", task: Task, args: Any) -> "list[Solution]":
    """Return the solutions of all right-hand sides, with what is going on on a terminal."""
    solutions = []
    total = task.sides.shape[1]
    with screen.status("solving") as say:
        for number, side in enumerate(task.sides.T, 1):
            iteration = 0

            def tell(residual: float, number: int = number) -> None:
                nonlocal iteration
                iteration += 1
                say(f"right-hand side {number} of {total}, iteration {iteration}: {residual:.1e}")

            solutions.append(
                solver.solve(side, tolerance=args.tol, iterations=args.count, callback=tell)
            )
    return solutions


def simulate(
    screen: "Screen", solver: "Solver | Schwarz", task: Task, args: Any
) -> "list[Solution]":
    """Return the solutions of all right-hand sides, from the Verilog."""
    from ohmulator.jobs.solve_rtl import Order, simulate
    from ohmulator.solver import Solver

    require(
        isinstance(solver, Solver) and len(solver.loops) == 1,
        "the Verilog solves what one array holds: take the backend model, or larger arrays",
    )
    assert isinstance(solver, Solver)
    order = Order(task.matrix, task.sides, args.method, task.least_squares, args.tol, args.count)
    return simulate(screen, solver, order, given=args.config is not None)


def saved(x: "NDArray[Any]", *, flat: bool) -> bytes:
    """Return solutions [n, k], or one [n], as a file of NumPy."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, x[:, 0] if flat else x)
    return buffer.getvalue()
