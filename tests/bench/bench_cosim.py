"""Speed of co-simulation: planes per second of processor time, by the harness and by the bridge.

Products of random weights and inputs of a tile under Verilator. Both run in turn, several times, so
that what else the computer does meets both; the time of the model is not counted.
"""

import argparse

import numpy as np

from golden.tile.analog import Analog
from sim.job import TileJob
from sim.runner import Build
from spec.load import load

CASES = {
    "64 x 64, 1 slice": ("digits", {"slices": 1}),
    "64 x 64, 2 slices": ("digits", {"slices": 2}),
    "128 x 128": ("digits", {"slices": 1, "rows": 128, "columns": 128, "adcs": 128}),
    "rough": ("rough", {}),
}

SHARE = 10
"""The bridge multiplies so many times fewer vectors."""


def measure(name: str, products: int, rounds: int) -> str:
    """Return the line of the table for one case."""
    preset, fields = CASES[name]
    config = load(preset, **fields)
    rng = np.random.default_rng(0)
    shape = config.array.rows, config.array.columns
    weights = rng.integers(*config.weight_range, shape, endpoint=True)
    vectors = rng.integers(*config.input_range, (products, config.array.rows), endpoint=True)
    steps = np.full(config.steps, config.forward.covering_step)
    ways = {"harness": ("sim.harness.tile", 1), "verilator": ("sim.tb_tile", SHARE)}
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (module, share) in ways.items():
            job = TileJob(Analog.programmed(config, weights), vectors[::share], steps)
            outcome = Build(config, "tile", way).run(module, job)
            if outcome.mismatch:
                raise SystemExit(outcome.mismatch)
            speeds[way].append(len(job.vectors) * config.planes / outcome.cpu_s)
    harness, bridge = (float(np.median(each)) for each in speeds.values())
    return f"{name:<18} {harness:>10.0f} {bridge:>10.0f} {harness / bridge:>8.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=4000, help="vectors (4000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way (3)")
    arguments = parser.parse_args()
    print("planes per second of processor time")
    print(f"{'tile':<18} {'harness':>10} {'bridge':>10} {'ratio':>8}")
    for name in CASES:
        print(measure(name, arguments.products, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
