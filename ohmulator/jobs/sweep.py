"""Accuracy of the digits against each effect of the physics alone: `make sweep`.

The model computes it, which the Verilog equals bit for bit whatever the physics.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from environment.files import write_whole
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.tile import Tile
from ohmulator import cli
from ohmulator.jobs import classifier, pictures
from spec.config import ChipConfig
from spec.errors import require_integer
from spec.load import load

WIRES = ("r_word_ohm", "r_bit_ohm", "r_driver_ohm", "r_sense_ohm")


def physics(*names: str) -> Callable[[ChipConfig, float], ChipConfig]:
    """Return what sets parameters of the physics of a configuration to one value."""

    def change(config: ChipConfig, value: float) -> ChipConfig:
        values: dict[str, Any] = dict.fromkeys(names, value)
        changed = config.physics.replace(**values)
        return config.replace(physics=changed)

    return change


@dataclass(frozen=True)
class Effect:
    """One axis of the sweep: unit, values, and what sets a value."""

    unit: str
    values: tuple[float, ...]
    change: Callable[[ChipConfig, float], ChipConfig]


EFFECTS = {
    "programming error": Effect(
        "σ in levels", (0, 0.1, 0.25, 0.5, 1, 1.5, 2), physics("program_error")
    ),
    "read noise": Effect(
        "σ / conductance", (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1), physics("read_noise")
    ),
    "wire resistance": Effect(
        "ohm a segment and terminal", (0, 1, 2, 5, 10, 20, 50), physics(*WIRES)
    ),
    "stuck cells": Effect(
        "share of cells", (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2), physics("stuck_any")
    ),
    "ADC bits": Effect(
        "bits",
        (8, 7, 6, 5, 4, 3, 2),
        lambda config, value: config.replace(adc_bits=int(value)),
    ),
}


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator.jobs.sweep",
        description="Classify handwritten digits on several chips with one effect of the physics "
        "after the other, everything else as in the configuration. Each chip has faults of its "
        "own and a classifier fitted on a split of the images of its own.",
    )
    parser.add_argument("--config", default="digits", help="preset or TOML file (default: digits)")
    parser.add_argument("--seed", type=int, default=0, help="of the first chip (default: 0)")
    parser.add_argument("--count", type=int, default=5, help="chips, 2 to 100 (default: 5)")
    parser.add_argument("--out", type=Path, default=Path("out/sweep"), help="folder for results")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    require_integer("seed", args.seed, 0, 2**31)
    require_integer("count", args.count, 2, 100, " (chips)")
    config = load(args.config)
    seeds = range(args.seed, args.seed + args.count)
    # Before any work: every point must be a chip that can exist.
    points = {
        name: [effect.change(config, value) for value in effect.values]
        for name, effect in EFFECTS.items()
    }
    accuracies = {
        name: np.empty((len(effect.values), args.count)) for name, effect in EFFECTS.items()
    }
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        total = args.count * sum(len(chips) for chips in points.values())
        bar = progress.add_task("chips", total=total)
        for n, seed in enumerate(seeds):
            task = classifier.fit(config, seed)
            for name, chips in points.items():
                progress.update(bar, description=name)
                for i, chip in enumerate(chips):
                    accuracies[name][i, n] = accuracy(chip, task, seed)
                    progress.advance(bar)

    picture = args.out / "sweep.png"
    drawn = {name: (e.unit, list(e.values), accuracies[name]) for name, e in EFFECTS.items()}
    title = f"configuration {args.config}, one effect at a time, {args.count} chips each"
    pictures.save(pictures.sweep(drawn, title), picture)

    table = Table(title=title)
    for heading in ("effect", "value", "mean", "spread σ", "worst"):
        table.add_column(heading, justify="left" if heading == "effect" else "right")
    for name, effect in EFFECTS.items():
        for value, right in zip(effect.values, accuracies[name], strict=True):
            first = f"{name} ({effect.unit})" if value == effect.values[0] else ""
            mean, spread, worst = right.mean(), right.std(ddof=1), right.min()
            table.add_row(first, f"{value:g}", f"{mean:.1%}", f"{spread:.1%}", f"{worst:.1%}")
        table.add_section()
    console.print(table)
    console.print("computed by the model, which the Verilog equals bit for bit")
    console.print(f"picture  {picture}", soft_wrap=True)
    if args.json:
        figures = {
            "configuration": str(args.config),
            "hash": config.whole,
            "seeds": list(seeds),
            "accuracies": {
                name: {
                    "unit": effect.unit,
                    "values": list(effect.values),
                    "accuracy": accuracies[name].tolist(),
                    "mean": accuracies[name].mean(axis=1).tolist(),
                    "spread": accuracies[name].std(axis=1, ddof=1).tolist(),
                }
                for name, effect in EFFECTS.items()
            },
            "picture": str(picture),
        }
        write_whole(args.json, json.dumps(figures, indent=2) + "\n")
    return 0


def accuracy(config: ChipConfig, task: classifier.Classifier, seed: int) -> float:
    """Return the accuracy of the chip of a seed, its ADC steps calibrated on itself."""
    chip = config.replace(physics=config.physics.replace(seed=seed))
    tile = Tile(chip, Analog.programmed(chip, task.weights))
    steps = calibrate(chip, tile.multiply(task.fit_inputs).held)
    return task.accuracy(tile.multiply(task.test_inputs, steps).results)


if __name__ == "__main__":
    cli.run(main)
