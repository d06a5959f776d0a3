"""The main job: classify handwritten digits with generated Verilog, checked against the model."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from golden import cli
from golden.analog import Analog
from golden.calibrate import calibrate
from golden.config import load
from golden.errors import require_integer
from golden.tile import Tile
from sim import classifier, pictures
from sim.job import TileJob
from sim.runner import Build

TRACED_PRODUCTS = 8
"""Products in the waveform unless all are asked for: enough to see, small enough to open."""


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="sim.digits",
        description="Classify handwritten digits in simulated Verilog, word for word against the "
        "model.",
    )
    parser.add_argument("--config", default="digits", help="preset or TOML file (default: digits)")
    parser.add_argument("--seed", type=int, default=0, help="of the data split (default: 0)")
    parser.add_argument("--waves", action="store_true", help="record every product, not just 8")
    parser.add_argument("--out", type=Path, default=Path("out/digits"), help="folder for results")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    config = load(args.config)
    require_integer("seed", args.seed, 0, 2**32 - 1)
    build = Build(config, "tile", "verilator")

    task = classifier.fit(config, args.seed)
    analog = Analog.ideal(config, task.weights)
    model = Tile(config, analog)
    steps = calibrate(config, model.multiply(task.fit_inputs).held)
    products = model.multiply(task.test_inputs, steps)

    with console.status("generating Verilog and building the simulator (slow the first time)"):
        build.make()
    count = len(task.test_inputs)
    traced = count if args.waves else TRACED_PRODUCTS
    job = TileJob(
        Analog.ideal(config, task.weights),
        task.test_inputs,
        steps,
        trace_cycles=config.latency_cycles + traced * config.planes * config.plane_cycles,
        reproduce=f"make run CONFIG={args.config} SEED={args.seed}",
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("images through the Verilog", total=count)
        outcome = build.run(
            "sim.tb_tile", job, lambda done: progress.update(bar, completed=done), args.out
        )

    waveform = args.out / "boundary.vcd"
    picture = args.out / "digits.png"
    accuracy = task.accuracy(outcome.results)
    figure = pictures.digits(
        config,
        task.test_labels,
        classifier.predictions(outcome.results),
        products.held,
        steps,
        accuracy,
    )
    pictures.save(figure, picture)

    counters = outcome.counters
    occupancy = counters["adc_cycles"] / counters["cycles"]
    figures = {
        "configuration": str(args.config),
        "hash": config.hash,
        "seed": args.seed,
        "float_accuracy": task.float_accuracy,
        "model_accuracy": task.accuracy(outcome.expected),
        "rtl_accuracy": accuracy,
        "products": count,
        "cycles": counters["cycles"],
        "adc_occupancy": occupancy,
        "clips_high": counters["clips_high"],
        "clips_low": counters["clips_low"],
        "products_per_second": count / outcome.seconds,
        "planes_per_second": count * config.planes / outcome.seconds,
        "words_compared": int(outcome.results.size),
        "words_different": int((outcome.results != outcome.expected).sum()),
        "picture": str(picture),
        "waveform": str(waveform),
    }
    table = Table(title=f"handwritten digits on {args.config} ({config.hash})")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("accuracy, float classifier", f"{task.float_accuracy:.2%}")
    table.add_row("accuracy, model", f"{figures['model_accuracy']:.2%}")
    table.add_row("accuracy, Verilog", f"{accuracy:.2%}")
    table.add_row("products", f"{count}")
    table.add_row("clock cycles", f"{counters['cycles']}")
    table.add_row("ADC occupancy", f"{occupancy:.1%}")
    table.add_row(
        "conversions clipped high, low", f"{counters['clips_high']}, {counters['clips_low']}"
    )
    table.add_row("products per second, simulated", f"{figures['products_per_second']:.0f}")
    console.print(table)
    console.print(
        f"picture   {picture}\nwaveform  {waveform}  (gtkwave {waveform.with_suffix('.gtkw')})",
        highlight=False,
    )

    counted = {name: counters[name] for name in outcome.expected_counters}
    if outcome.mismatch or counted != outcome.expected_counters:
        console.print(
            outcome.mismatch
            or f"counters differ: {counted} in the Verilog, "
            f"{outcome.expected_counters} in the model"
        )
        return 1
    console.print(f"MATCH: all {outcome.results.size} words equal, Verilog and model, bit for bit")
    if args.json:
        cli.write_whole(args.json, json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    cli.run(main)
