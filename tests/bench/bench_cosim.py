"""Speed of co-simulation: planes per second, and as a share of the model's own speed.

A tile of 64 x 64, differential, with one ADC a column, 8-bit converters and random weights and
inputs, under Verilator. A plane takes 8 clock cycles, in each of which NumPy answers every ADC.
"""

import argparse
import time

import numpy as np

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from sim.job import TileJob
from sim.runner import Build
from spec.load import load


def measure(slices: int, products: int) -> str:
    """Return the line of the table for one number of slices."""
    config = load("digits", slices=slices)
    rng = np.random.default_rng(0)
    weights = rng.integers(
        *config.weight_range, (config.array.rows, config.array.columns), endpoint=True
    )
    vectors = rng.integers(*config.input_range, (products, config.array.rows), endpoint=True)
    steps = np.full(config.steps, config.forward.covering_step)
    outcome = Build(config, "tile", "verilator").run(
        "sim.tb_tile", TileJob(Analog.ideal(config, weights), vectors, steps)
    )
    if outcome.mismatch:
        raise SystemExit(outcome.mismatch)
    tile = Tile(config, Analog.ideal(config, weights))
    model = np.inf
    for _ in range(5):
        start = time.perf_counter()
        tile.multiply(vectors, steps)
        model = min(model, time.perf_counter() - start)
    planes = products * config.planes
    return (
        f"{slices:>6} {planes / outcome.seconds:>15.0f} {planes / model:>15.0f} "
        f"{outcome.seconds / model:>8.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=4000, help="vectors (4000)")
    arguments = parser.parse_args()
    print("planes per second of a 64 x 64 tile")
    print(f"{'slices':>6} {'co-simulation':>15} {'model':>15} {'ratio':>8}")
    for slices in (1, 2):
        print(measure(slices, arguments.products), flush=True)


if __name__ == "__main__":
    main()
