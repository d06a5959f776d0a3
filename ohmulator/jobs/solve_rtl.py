"""Solve systems on a chip in simulated Verilog, beside the model of the whole chip."""

from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from ohmulator.host.tb_chip import ChipJob, SimulatedChip
from ohmulator.solver import Solution, Solver
from sim.runner import Build
from spec.config import ChipConfig

if TYPE_CHECKING:
    from ohmulator.jobs.screen import Screen

PROGRAM_WORDS = 128
"""Instructions that a solver needs, in a chip that is made for it."""


class Order(NamedTuple):
    """What the simulated chip is asked for."""

    matrix: Any
    sides: NDArray[Any]
    method: str
    least_squares: bool
    tolerance: float
    iterations: int


MOST_ADCS = 8
"""ADCs of a slice in a chip that is made for a system: the fewer, the sooner it is built."""


def few_adcs(config: ChipConfig) -> ChipConfig:
    """Return a chip whose columns share ADCs."""
    columns = config.array.columns
    fitting = [n for n in range(1, MOST_ADCS + 1) if columns % n == 0]
    return config.replace(adcs=fitting[-1])


def chip_config(config: ChipConfig, iterations: int) -> ChipConfig:
    """Return a chip of a tile for the loop and one for products, with memories as they need."""
    rows = config.array.rows
    # See `ohmulator.compiler.refinement`: vectors, and a word for each iteration.
    words = 6 * rows + iterations + 8
    return config.replace(
        invertible=True,
        tiles=2,
        matrices=2,
        vector_words=max(64, 1 << (words - 1).bit_length()),
        weight_words=2 * rows * rows,
        program_words=PROGRAM_WORDS,
    )


def simulate(screen: "Screen", solver: Solver, order: Order, *, given: bool) -> list[Solution]:
    """Return the solutions of all right-hand sides; every word of the chip is the model's as well.

    `given`: the configuration is the user's.

    Raises
    ------
    SimulationError
        If there is no outcome.
    UserError
        If the chip cannot hold the system.
    """
    config = chip_config(solver.config, order.iterations)
    if not given:
        config = few_adcs(config)
    build = Build(config, "chip_traced", "verilator")
    with screen.status("generating Verilog and building the simulator (slow the first time)"):
        build.make()
    with screen.status("solving in the Verilog"):
        return build.run("ohmulator.host.tb_chip", ChipJob(config, solve, order))


def solve(chip: SimulatedChip, order: Order) -> list[Solution]:
    """Solve on a simulated chip whose tiles are set; a session of `ohmulator.host.tb_chip`."""
    solver = Solver(
        order.matrix,
        method=order.method,
        least_squares=order.least_squares,
        host=chip.host,
        set_tile=chip.set_tile,
    )
    return [
        solver.solve(side, tolerance=order.tolerance, iterations=order.iterations)
        for side in order.sides.T
    ]
