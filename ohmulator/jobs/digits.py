"""The main job: classify handwritten digits with generated Verilog, checked against the model."""

import argparse
import copy
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from environment.files import require_writable, write_whole
from golden.array.lines import Array
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import diagnose
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import program, targets
from ohmulator import cli
from ohmulator.jobs import classifier, pictures, report
from sim.job import TileJob
from sim.runner import Build
from spec.errors import require_integer
from spec.load import load

MIN_VERIFY_CODES = 4
"""Codes between two levels of a cell below which write-verify resolves no quarter of a level."""

TRACED_PRODUCTS = 8
"""Products in the waveform unless all are asked for: enough to see, small enough to open."""


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator.jobs.digits",
        description="Classify handwritten digits in simulated Verilog, word for word against the "
        "model.",
    )
    parser.add_argument(
        "--config", help="preset or TOML file (default: digits; with --program: rough)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the data split (default: 0)")
    parser.add_argument(
        "--program",
        action="store_true",
        help="program every cell through the Verilog first, by write-verify (some minutes)",
    )
    parser.add_argument("--waves", action="store_true", help="record every product, not just 8")
    parser.add_argument(
        "--out", type=Path, help="folder for results (default: out/digits or out/program)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    args = parser.parse_args()
    args.config = args.config or ("rough" if args.program else "digits")
    args.out = args.out or Path("out") / ("program" if args.program else "digits")
    return args


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    require_writable(args.out, args.json)
    config = load(args.config)
    require_integer("seed", args.seed, 0, 2**32 - 1)
    build = Build(config, "tile", "verilator")

    task = classifier.fit(config, args.seed)
    wanted = targets(config, task.weights) if args.program else None

    def blank() -> Analog:
        """Return the chip as it is before the Verilog gets to it; the same one every time."""
        if args.program:
            return Analog(config, Array(config))
        return Analog.programmed(config, task.weights)

    analog = blank()
    if wanted:
        program(analog, wanted)
    calibrated = Tile(config, copy.deepcopy(analog)).multiply(task.fit_inputs)
    steps = calibrate(config, calibrated.held)
    products = Tile(config, analog).multiply(task.test_inputs, steps)
    levels = cell_levels(config, slice_weights(config, task.weights))
    diagnostics = diagnose(analog, products, levels)

    with console.status("generating Verilog and building the simulator (slow the first time)"):
        build.make()
    count = len(task.test_inputs)
    traced = count if args.waves else TRACED_PRODUCTS
    job = TileJob(
        blank(),
        task.test_inputs,
        steps,
        trace_cycles=config.forward.latency_cycles
        + traced * config.planes * config.forward.plane_cycles,
        targets=wanted,
        reproduce=f"make {'program' if args.program else 'run'} CONFIG={args.config} "
        f"SEED={args.seed}",
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        what = "cells and images" if wanted else "images"
        total = count + (len(wanted) if wanted else 0)
        bar = progress.add_task(f"{what} through the Verilog", total=total)
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
        "hash": config.whole,
        "seed": args.seed,
        "float_accuracy": task.float_accuracy,
        "model_accuracy": task.accuracy(outcome.expected),
        "rtl_accuracy": accuracy,
        "products": count,
        "cycles": counters["cycles"],
        "adc_occupancy": occupancy,
        "clips_high": counters["clips_high"],
        "clips_low": counters["clips_low"],
        "diagnostics": report.figures(diagnostics),
        "products_per_second": count / outcome.seconds,
        "planes_per_second": count * config.planes / outcome.seconds,
        "words_compared": int(outcome.results.size),
        "words_different": int((outcome.results != outcome.expected).sum()),
        "picture": str(picture),
        "waveform": str(waveform),
    }
    table = Table(title=f"handwritten digits on {args.config}", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("accuracy, float classifier", f"{task.float_accuracy:.2%}")
    table.add_row("accuracy, model", f"{figures['model_accuracy']:.2%}")
    table.add_row("accuracy, Verilog", f"{accuracy:.2%}")
    table.add_row("products", f"{count}")
    table.add_row("clock cycles", f"{counters['cycles']}")
    if not outcome.programmed:
        table.add_row("ADC occupancy", f"{occupancy:.1%}")
    table.add_row("products per second, simulated", f"{figures['products_per_second']:.0f}")
    table.add_section()
    if outcome.programmed:
        done = outcome.programmed
        healthy = ~analog.array.cells.stuck
        error = (outcome.g_s - config.array.g_min_s) / config.g_step_s - levels
        figures |= {
            "cells_programmed": len(done.success),
            "cells_given_up": int((~done.success).sum()),
            "cells_stuck": int((~healthy).sum()),
            "healthy_within_half_a_level": float((np.abs(error[healthy]) < 0.5).mean()),
            "pulses_mean": float(done.pulses.mean()),
            "pulses_most": int(done.pulses.max()),
            "programming_cycles": outcome.programming_cycles,
        }
        table.add_row(
            "cells programmed, given up", f"{len(done.success)}, {figures['cells_given_up']}"
        )
        table.add_row(
            "healthy cells within half a level", f"{figures['healthy_within_half_a_level']:.3%}"
        )
        table.add_row(
            "pulses a cell, mean and most",
            f"{figures['pulses_mean']:.1f}, {figures['pulses_most']}",
        )
        table.add_row("clock cycles of programming", f"{outcome.programming_cycles}")
        table.add_section()
        cells = args.out / "cells.png"
        pictures.save(pictures.cells(config, levels, outcome.g_s, config.array.slices - 1), cells)
    report.add_rows(table, diagnostics)
    console.print(table)
    report.print_warnings(console, diagnostics)
    if wanted and abs(config.verify_code) >> config.verify_step < MIN_VERIFY_CODES:
        console.print(
            f"warning: single cells are read with dac_bits={config.converter.dac_bits} and "
            f"adc_bits={config.converter.adc_bits}, too coarse to see a quarter of a "
            "level: raise them",
            style="yellow",
            soft_wrap=True,
        )
    console.print(f"picture   {picture}", soft_wrap=True)
    if outcome.programmed:
        console.print(f"picture   {cells}", soft_wrap=True)
    console.print(f"waveform  gtkwave {waveform.with_suffix('.gtkw')}", soft_wrap=True)

    if args.json:
        write_whole(args.json, json.dumps(figures, indent=2) + "\n")
    if outcome.mismatch:
        console.print(outcome.mismatch)
        return 1
    console.print(f"MATCH: all {outcome.results.size} words equal, Verilog and model, bit for bit")
    return 0


if __name__ == "__main__":
    cli.run(main)
