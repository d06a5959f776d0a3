"""Run one testbench on random stimuli: `make sim`."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from environment.files import BUILDS, Outputs, json_text
from environment.tools import SIMULATORS
from ohmulator import cli
from ohmulator.jobs import waveforms
from spec.config import ChipConfig
from spec.load import load, locate

if TYPE_CHECKING:
    from sim.job import TileOutcome

TESTBENCHES = ("tile",)
"""Testbench `tile`, of top level `tile`, is `sim.tile_simulation`."""


@cli.job
def main(argv: Sequence[str]) -> int:
    args = options(argv)
    config = load(args.config)
    if args.transposed:
        config.require_transposable()
    files = waveforms.files(args.out) | {"the figures": args.json}
    outputs = Outputs(files, {"the configuration": locate(args.config)}, [BUILDS])
    SIMULATORS[args.sim]()

    from ohmulator.jobs import stimuli
    from ohmulator.jobs.screen import Screen
    from sim.tile_simulation import TileSimulation

    screen = Screen()
    simulation = TileSimulation(config, args.sim, waves=args.waves)
    if simulation.note:
        cli.say(simulation.note)
    job = stimuli.tile(config, args.seed, args.count, command(args), transposed=args.transposed)
    with screen.status("generating Verilog and building the simulator"):
        simulation.build.make()
    with waveforms.folder() as waves:
        with screen.progress("products through the simulator", args.count) as update:
            outcome = simulation.run(job, update, waves)
        found, drawn = figures(args, config, outcome), waveforms.contents(waves)
        waveforms.write(outputs, drawn | {"the figures": json_text(found)})
    if drawn:
        cli.say(f"waveforms in {args.out}")
    if outcome.mismatch:
        cli.say(outcome.mismatch)
        return 1
    products = "transposed products" if args.transposed else "products"
    cli.say(
        f"MATCH: all {outcome.words} words of {args.count} {products} equal, {args.sim} and "
        f"model, bit for bit ({found['planes_per_second']:.0f} planes per second)"
    )
    return 0


def options(argv: Sequence[str]) -> Any:
    parser = cli.Parser("sim")
    parser.choice("tb", "tile", TESTBENCHES, "testbench")
    parser.config("digits")
    parser.choice("sim", "verilator", tuple(SIMULATORS), "simulator")
    parser.seed("of weights, inputs and pauses")
    parser.integer("count", 100, 1, 1_000_000, "products")
    parser.add_argument(
        "--transposed",
        action="store_true",
        help="multiply by the transposed matrix; draws no waveform of the boundary",
    )
    parser.add_argument("--waves", action="store_true", help="record all signals of the RTL")
    parser.out("out/sim", "folder for waveforms")
    parser.json()
    return parser.read(argv)


def figures(args: Any, config: ChipConfig, outcome: "TileOutcome") -> dict[str, Any]:
    """Return the figures of a simulation for a JSON file."""
    return {
        "testbench": args.tb,
        "configuration": args.config,
        "hash": config.whole,
        "simulator": args.sim,
        "seed": args.seed,
        "products": args.count,
        "transposed": args.transposed,
        "words_compared": outcome.words,
        "words_different": outcome.wrong,
        "planes_per_second": args.count * config.planes / outcome.seconds,
        **outcome.counters,
    }


def command(args: Any) -> str:
    """Return the command that runs the same again, without waveforms."""
    words = {"TB": args.tb, "CONFIG": args.config, "SIM": args.sim, "SEED": args.seed}
    words["COUNT"] = args.count
    if args.transposed:
        words["TRANSPOSED"] = 1
    return shlex.join(["make", "sim", *(f"{name}={value}" for name, value in words.items())])
