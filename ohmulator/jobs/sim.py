"""Run one testbench on random stimuli: `make sim`."""

import argparse
import json
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console

from environment.files import require_writable, write_whole
from golden.tile.analog import Analog
from ohmulator import cli
from sim.job import TileJob
from sim.runner import Build
from spec.config import ChipConfig
from spec.errors import require, require_integer
from spec.load import load


def tile_job(
    config: ChipConfig, seed: int, count: int, reproduce: str, *, transposed: bool = False
) -> TileJob:
    """Return random products for a tile: extremes among the inputs, pauses on both streams.

    Raises
    ------
    UserError
        If `transposed` ones are wanted, and the chip has none.
    """
    if transposed:
        config.require_transposable()
    way = config.direction(transposed)
    draw = np.random.default_rng(seed)
    low, high = config.weight_range
    weights = draw.integers(low, high, (config.array.rows, config.array.columns), endpoint=True)
    low, high = config.input_range
    vectors = draw.integers(low, high, (count, way.inputs), endpoint=True)
    vectors[:1], vectors[1:2] = low, high
    return TileJob(
        Analog.programmed(config, weights),
        vectors,
        draw.integers(0, way.covering_step, (count, config.steps), endpoint=True),
        transposed,
        idle=tuple(draw.integers(0, 3, 7).tolist()),
        stall=tuple(draw.integers(0, 3, 5).tolist()),
        trace_cycles=0 if transposed else way.latency_cycles + 8 * config.planes * way.plane_cycles,
        reproduce=reproduce,
    )


class Maker(Protocol):
    """Make random jobs; see `tile_job`."""

    def __call__(
        self, config: ChipConfig, seed: int, count: int, reproduce: str, *, transposed: bool
    ) -> TileJob: ...


TESTBENCHES: dict[str, Maker] = {"tile": tile_job}
"""Maker of random jobs for each testbench; testbench `x` of top level `x` is `sim.tb_x`."""


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator.jobs.sim",
        description="Run a testbench on random stimuli, RTL against model.",
    )
    parser.add_argument("--tb", default="tile", help=f"testbench: {', '.join(TESTBENCHES)}")
    parser.add_argument("--config", default="digits", help="preset or TOML file (default: digits)")
    parser.add_argument("--sim", default="verilator", help="verilator (default) or icarus")
    parser.add_argument("--seed", type=int, default=0, help="of weights, inputs and pauses")
    parser.add_argument("--count", type=int, default=100, help="products (default: 100)")
    parser.add_argument(
        "--transposed",
        action="store_true",
        help="multiply by the transposed matrix; draws no waveform of the boundary",
    )
    parser.add_argument("--waves", action="store_true", help="record all signals of the RTL")
    parser.add_argument("--out", type=Path, default=Path("out/sim"), help="folder for waveforms")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    known = ", ".join(TESTBENCHES)
    require(args.tb in TESTBENCHES, f"TB must be one of {known}, not {args.tb!r}")
    require_integer("seed", args.seed, 0, 2**32 - 1)
    require_integer("count", args.count, 1, 1_000_000)
    require_writable(args.out, args.json)
    config = load(args.config)
    build = Build(config, args.tb, args.sim, waves=args.waves)
    reproduce = f"make sim TB={args.tb} CONFIG={args.config} SIM={args.sim} SEED={args.seed}"
    if args.count != 100:
        reproduce += f" COUNT={args.count}"
    if args.transposed:
        reproduce += " TRANSPOSED=1"
    job = TESTBENCHES[args.tb](config, args.seed, args.count, reproduce, transposed=args.transposed)
    with console.status("generating Verilog and building the simulator"):
        build.make()
    with console.status("simulating") as status:
        outcome = build.run(
            f"sim.tb_{args.tb}",
            job,
            lambda done: status.update(f"simulating: {done} of {args.count} products"),
            args.out,
        )
    if job.trace_cycles or args.waves:
        console.print(f"waveforms in {args.out}")
    figures = {
        "testbench": args.tb,
        "configuration": str(args.config),
        "hash": config.whole,
        "simulator": args.sim,
        "seed": args.seed,
        "products": args.count,
        "transposed": args.transposed,
        "words_compared": int(outcome.results.size),
        "words_different": int((outcome.results != outcome.expected).sum()),
        "planes_per_second": args.count * config.planes / outcome.seconds,
        **outcome.counters,
    }
    if args.json:
        write_whole(args.json, json.dumps(figures, indent=2) + "\n")
    if outcome.mismatch:
        console.print(outcome.mismatch)
        return 1
    kind = "transposed products" if args.transposed else "products"
    console.print(
        f"MATCH: all {outcome.results.size} words of {args.count} {kind} equal, {args.sim} and "
        f"model, bit for bit ({figures['planes_per_second']:.0f} planes per second)"
    )
    return 0


if __name__ == "__main__":
    cli.run(main)
