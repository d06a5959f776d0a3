"""Measure the accuracy of the digits against each fault alone: `make sweep`.

The model computes it, which the Verilog equals bit for bit whatever the physics.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from environment.files import Outputs, json_text
from ohmulator import cli
from ohmulator.jobs.digits import require_digits
from spec.config import ChipConfig
from spec.load import load, locate
from spec.physics import WIRES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ohmulator.jobs.classifier import Classifier
    from ohmulator.jobs.screen import Screen


@dataclass(frozen=True)
class Axis:
    """Fields that are set to a value at a time, and the unit of the values."""

    unit: str
    values: tuple[float, ...]
    fields: tuple[str, ...]

    def points(self, config: ChipConfig) -> list[ChipConfig]:
        """Return a configuration for each value; `UserError` says which cannot exist."""
        return [config.replace(**dict.fromkeys(self.fields, value)) for value in self.values]


AXES = {
    "programming error": Axis("σ in levels", (0, 0.1, 0.25, 0.5, 1, 1.5, 2), ("program_error",)),
    "read noise": Axis("σ / conductance", (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1), ("read_noise",)),
    "wire resistance": Axis("ohm a segment and terminal", (0, 1, 2, 5, 10, 20, 50), WIRES),
    "stuck cells": Axis("share of cells", (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2), ("stuck_any",)),
    "ADC bits": Axis("bits", (8, 7, 6, 5, 4, 3, 2), ("adc_bits",)),
}

Accuracies = Mapping[str, "NDArray[np.float64]"]
"""[values, chips] by the name of the axis."""


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser(
        "sweep",
        "Everything else is as in the configuration. Each chip has faults of its own and a "
        "classifier fitted on a split of the images of its own.",
    )
    parser.config("digits")
    parser.seed("of the first chip")
    parser.integer("count", 5, 2, 100, "chips", " (chips)")
    parser.out("out/sweep", "folder for results")
    parser.json()
    args = parser.read(argv)
    config = load(args.config)
    require_digits(config)
    points = {name: axis.points(config) for name, axis in AXES.items()}
    picture = args.out / "sweep.png"
    outputs = Outputs(
        {"the picture": picture, "the figures": args.json},
        {"the configuration": locate(args.config)},
    )

    from ohmulator.jobs import pictures
    from ohmulator.jobs.screen import Screen

    screen = Screen()
    # Seeds after the largest begin again at 0.
    seeds = [(args.seed + n) % (cli.SEED_RANGE[1] + 1) for n in range(args.count)]
    accuracies = measure(screen, config, points, seeds)
    title = f"configuration {args.config}, one fault at a time, {args.count} chips each"
    drawn = {name: (axis.unit, axis.values, accuracies[name]) for name, axis in AXES.items()}
    figures = {
        "configuration": args.config,
        "hash": config.whole,
        "seeds": seeds,
        "accuracies": {name: figures_of(axis, accuracies[name]) for name, axis in AXES.items()},
        "picture": str(picture),
    }
    contents: dict[str, str | bytes] = {
        "the picture": pictures.png(pictures.sweep(drawn, title)),
        "the figures": json_text(figures),
    }
    outputs.write(contents)
    head = ("fault", "value", "mean", "spread σ", "worst")
    screen.table(title, [rows(name, axis, accuracies[name]) for name, axis in AXES.items()], head)
    cli.say("computed by the model, which the Verilog equals bit for bit")
    cli.say(f"picture  {picture}")
    return 0


def measure(
    screen: "Screen",
    config: ChipConfig,
    points: Mapping[str, Sequence[ChipConfig]],
    seeds: Sequence[int],
) -> Accuracies:
    """Return the accuracies of chips with these seeds at each point of each axis."""
    import numpy as np

    from golden.array.lines import Array
    from golden.tile.analog import Analog
    from ohmulator.jobs import classifier

    for chip in itertools.chain(*points.values()):
        # Refuses physics that cannot be computed, before hours are spent on others.
        Analog(chip, Array(chip))
    found = {name: np.empty((len(chips), len(seeds))) for name, chips in points.items()}
    total, done = sum(values.size for values in found.values()), 0
    with screen.progress("chips", total) as update:
        for n, seed in enumerate(seeds):
            task = classifier.fit(config, seed)
            for name, chips in points.items():
                for i, chip in enumerate(chips):
                    found[name][i, n] = accuracy(chip, task, seed)
                    done += 1
                    update(done)
    return found


def accuracy(config: ChipConfig, task: "Classifier", seed: int) -> float:
    """Return the accuracy of the chip of a seed, its ADC steps calibrated on itself."""
    from golden.tile.analog import Analog
    from golden.tile.calibrate import calibrate
    from golden.tile.tile import Tile

    chip = config.replace(physics=config.physics.replace(seed=seed))
    tile = Tile(chip, Analog.programmed(chip, task.weights))
    steps = calibrate(chip, tile.multiply(task.fit_inputs).held)
    return task.accuracy(tile.multiply(task.test_inputs, steps).results)


def figures_of(axis: Axis, accuracies: "NDArray[np.float64]") -> dict[str, Any]:
    """Return accuracies [values, chips] over an axis for a JSON file."""
    return {
        "unit": axis.unit,
        "values": axis.values,
        "accuracy": accuracies.tolist(),
        "mean": accuracies.mean(axis=1).tolist(),
        "spread": accuracies.std(axis=1, ddof=1).tolist(),
    }


def rows(name: str, axis: Axis, accuracies: "NDArray[np.float64]") -> list[tuple[str, ...]]:
    """Return accuracies [values, chips] over an axis as rows of a table."""
    found: list[tuple[str, ...]] = []
    for value, right in zip(axis.values, accuracies, strict=True):
        shares = right.mean(), right.std(ddof=1), right.min()
        first = "" if found else f"{name} ({axis.unit})"
        found.append((first, f"{value:g}", *(f"{share:.1%}" for share in shares)))
    return found
