"""Classify images in the model and in the simulated Verilog of a tile, and compare both."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import Diagnostics, diagnose
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import Targets
from ohmulator import cli
from ohmulator.jobs import classifier, pictures, report, waveforms
from ohmulator.jobs.classifier import Classifier
from ohmulator.jobs.digits import Plan
from ohmulator.jobs.screen import Screen
from sim.job import TileJob, TileOutcome
from sim.tile_simulation import TileSimulation
from spec.config import ChipConfig

TRACED_PRODUCTS = 8
"""Products in the waveform unless all are asked for: enough to see, small enough to open."""


@dataclass(frozen=True)
class Foreseen:
    """Hold the results of the model.

    Attributes
    ----------
    levels
        [slices, rows, bit_lines], targets of the cells.
    steps
        [steps], ADC steps calibrated with the images of the fit.
    held
        [n, planes, converters, groups] in units, held values of the other images.
    diagnostics
        Of their products.
    """

    levels: NDArray[np.int64]
    steps: NDArray[np.int64]
    held: NDArray[np.float64]
    diagnostics: Diagnostics


def foresee(chip: Analog, task: Classifier) -> Foreseen:
    """Calibrate a chip that holds the weights of a task, and classify with it."""
    config = chip.config
    levels = cell_levels(config, slice_weights(config, task.weights))
    calibrated = Tile(config, copy.deepcopy(chip)).multiply(task.fit_inputs)
    steps = calibrate(config, calibrated.held)
    products = Tile(config, chip).multiply(task.test_inputs, steps)
    return Foreseen(levels, steps, products.held, diagnose(chip, products, levels))


def simulate(
    plan: Plan,
    screen: Screen,
    task: Classifier,
    chip: Analog,
    steps: NDArray[np.int64],
    waves: Path,
    targets: Targets | None = None,
) -> TileOutcome:
    """Return the results of the Verilog of a tile; waveforms go to the folder `waves`.

    The physics are those of `chip`; cells that are `targets` are programmed first.
    """
    config, count = plan.config, len(task.test_inputs)
    traced = count if plan.waves else TRACED_PRODUCTS
    plane_cycles = config.planes * config.forward.plane_cycles
    job = TileJob(
        chip,
        task.test_inputs,
        steps,
        trace_cycles=config.forward.latency_cycles + traced * plane_cycles,
        targets=targets,
        reproduce=plan.reproduce,
    )
    simulation = TileSimulation(config, "verilator", programs=targets is not None)
    if simulation.note:
        cli.say(simulation.note)
    with screen.status("generating Verilog and building the simulator (slow the first time)"):
        simulation.build.make()
    doing = "images" if targets is None else "cells and images"
    total = count if targets is None else count + len(targets)
    with screen.progress(f"{doing} through the Verilog", total) as update:
        return simulation.run(job, update, waves)


def figures(
    plan: Plan, task: Classifier, foreseen: Foreseen, outcome: TileOutcome
) -> dict[str, Any]:
    """Return the figures of both sides for a JSON file."""
    counters, count = outcome.counters, len(task.test_inputs)
    return {
        "configuration": plan.source,
        "hash": plan.config.whole,
        "seed": plan.seed,
        "float_accuracy": task.float_accuracy,
        "model_accuracy": task.accuracy(outcome.expected),
        "rtl_accuracy": task.accuracy(outcome.results),
        "products": count,
        "cycles": counters["cycles"],
        "adc_occupancy": counters["adc_cycles"] / counters["cycles"],
        "clips_high": counters["clips_high"],
        "clips_low": counters["clips_low"],
        "diagnostics": report.figures(foreseen.diagnostics),
        "products_per_second": count / outcome.seconds,
        "planes_per_second": count * plan.config.planes / outcome.seconds,
        "words_compared": outcome.words,
        "words_different": outcome.wrong,
        "picture": str(plan.outputs["the picture"]),
        "waveform": str(plan.outputs["the waveform"]),
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return figures as rows of a table."""
    # While cells are programmed the ADCs wait for pulses.
    programmed = "programming_cycles" in found
    occupancy = [] if programmed else [("ADC occupancy", f"{found['adc_occupancy']:.1%}")]
    return [
        ("accuracy, float classifier", f"{found['float_accuracy']:.2%}"),
        ("accuracy, model", f"{found['model_accuracy']:.2%}"),
        ("accuracy, Verilog", f"{found['rtl_accuracy']:.2%}"),
        ("products", f"{found['products']}"),
        ("clock cycles", f"{found['cycles']}"),
        *occupancy,
        ("products per second, simulated", f"{found['products_per_second']:.0f}"),
    ]


def picture(
    config: ChipConfig, task: Classifier, foreseen: Foreseen, outcome: TileOutcome
) -> bytes:
    """Return the confusion matrix and the currents of the columns as a PNG file."""
    figure = pictures.digits(
        config,
        task.test_labels,
        classifier.predictions(outcome.results),
        foreseen.held,
        foreseen.steps,
        task.accuracy(outcome.results),
    )
    return pictures.png(figure)


def verdict(plan: Plan, outcome: TileOutcome) -> int:
    """Print paths of the results and the verdict of the comparison; return the exit status."""
    for what in ("the picture", "the picture of the cells"):
        if what in plan.outputs:
            cli.say(f"picture   {plan.outputs[what]}")
    cli.say(f"waveform  {waveforms.viewer(plan.outputs)}")
    if outcome.mismatch:
        cli.say(outcome.mismatch)
        return 1
    cli.say(f"MATCH: all {outcome.words} words equal, Verilog and model, bit for bit")
    return 0
