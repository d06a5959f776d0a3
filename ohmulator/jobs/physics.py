"""Show what the physics of a configuration makes of a chip: `make physics`."""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from environment.files import write_whole
from golden.array.wires import line_voltages
from golden.converter.linearity import Convert, Linearity, enob, ramp
from golden.tile.analog import Analog
from golden.tile.diagnostics import failed_cells, ir_drop
from ohmulator import cli
from ohmulator.jobs import pictures
from ohmulator.jobs.random_chip import random_chip
from spec.errors import require, require_integer
from spec.load import load

SAMPLES, MAX_SAMPLES = 32, 1 << 24
"""Steps an LSB of the ramp, and bound on those of all ADCs together: 128 MiB."""


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator.jobs.physics",
        description="Program a chip with random weights, and draw its cells, the IR drop of its "
        "wires and the linearity of its ADCs.",
    )
    parser.add_argument("--config", default="rough", help="preset or TOML file (default: rough)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("out/physics"), help="folder for pictures")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    config = load(args.config)
    require_integer("seed", args.seed, 0, 2**32 - 1)
    with console.status("programming the chip"):
        analog, levels = random_chip(config, args.seed)
        array, top = analog.array, config.array.slices - 1
        failed, drop = failed_cells(array, levels), ir_drop(array)
        error = (array.g_s - config.array.g_min_s) / config.g_step_s - levels
    with console.status("measuring the ADCs"):
        measured, bits = measure_adcs(analog)
    with console.status("drawing"):
        drawn = {
            "cells": pictures.cells(config, levels, array.g_s, top),
            "wires": pictures.wires(cell_voltages(analog, top), drop[top], top),
            "adc": pictures.adc(config, *transfer(analog), measured),
        }
        for name, figure in drawn.items():
            pictures.save(figure, args.out / f"{name}.png")

    missing = sum(len(codes) for codes in measured.missing)
    figures = {
        "configuration": str(args.config),
        "hash": config.whole,
        "seed": args.seed,
        "cells": failed.size,
        "cells_failed": int(failed.sum()),
        "cells_stuck": int(array.cells.stuck.sum()),
        "program_error_levels": float(error[~failed].std()) if not failed.all() else None,
        "ir_drop_mean": float(drop.mean()),
        "ir_drop_worst": float(drop.max()),
        "adcs": len(measured.offset),
        "adc_offset_worst_lsb": float(np.abs(measured.offset).max()),
        "adc_gain_worst": float(np.abs(measured.gain).max()),
        "adc_inl_worst_lsb": float(np.abs(measured.inl).max()),
        "adc_dnl_worst_lsb": float(np.abs(measured.dnl).max()),
        "adc_codes_missing": missing,
        "adc_enob_mean": float(bits.mean()),
        "adc_enob_worst": float(bits.min()),
        "pictures": [str(args.out / f"{name}.png") for name in drawn],
    }
    table = Table(title=f"physics of {args.config}, random weights", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("cells off by over half a level", f"{failed.sum()} of {failed.size}")
    table.add_row("cells stuck", f"{figures['cells_stuck']}")
    if not failed.all():
        table.add_row("σ of all others", f"{figures['program_error_levels']:.3f} levels")
    table.add_section()
    table.add_row(
        "IR drop of full drive, mean and worst line", f"{drop.mean():.1%}, {drop.max():.1%}"
    )
    table.add_section()
    table.add_row("ADCs measured", f"{figures['adcs']}")
    table.add_row("worst offset", f"{figures['adc_offset_worst_lsb']:.2f} LSB")
    table.add_row("worst gain error", f"{figures['adc_gain_worst']:.2%}")
    table.add_row(
        "worst INL, DNL", f"{np.abs(measured.inl).max():.2f}, {np.abs(measured.dnl).max():.2f} LSB"
    )
    table.add_row("missing codes", f"{missing}")
    table.add_row(
        "effective bits, mean and worst",
        f"{bits.mean():.2f}, {bits.min():.2f} of {config.converter.adc_bits}",
    )
    console.print(table)
    for path in figures["pictures"]:
        console.print(f"picture  {path}", soft_wrap=True)
    if args.json:
        write_whole(args.json, json.dumps(figures, indent=2) + "\n")
    return 0


def cell_voltages(analog: Analog, slice_: int) -> NDArray[np.float64]:
    """Return the voltages [rows, bit_lines] across linear cells, 1 V on every word line."""
    physics = analog.config.physics
    lines = line_voltages(
        analog.array.g_s[slice_],
        np.ones(analog.config.array.rows),
        r_word=physics.wires.r_word_ohm,
        r_bit=physics.wires.r_bit_ohm,
        r_driver=physics.wires.r_driver_ohm,
        r_sense=physics.wires.r_sense_ohm,
    )
    return lines.word - lines.bit


def converters(analog: Analog) -> Convert:
    """Return all ADCs of a chip, at their finest step, as a function of inputs in ideal LSB."""
    return analog.adcs(np.zeros(analog.config.steps, np.int64)).convert


def measure_adcs(analog: Analog) -> tuple[Linearity, NDArray[np.float64]]:
    """Measure the ADCs with a ramp, and their effective bits with a sine over their ideal range.

    Raises
    ------
    UserError
        If they have too few codes to have a linearity, or too many for memory.
    """
    config, errors = analog.config, analog.config.physics
    half = 1 << (config.converter.adc_bits - 1)
    # No draw lies six standard deviations off.
    margin = 8 + math.ceil(6 * (errors.converters.adc_offset + errors.converters.adc_gain * half))
    samples = min(SAMPLES, MAX_SAMPLES // (config.converters * 2 * (half + margin)))
    require(
        samples >= 4,
        f"a ramp over {config.converters} ADCs of {config.converter.adc_bits} bits does not fit "
        "into memory: lower adc_bits or adcs",
    )
    ideal = np.arange(1 - half, half, dtype=np.float64) - 0.5
    convert = converters(analog)
    measured = ramp(convert, config.converters, ideal, -half, samples, margin)
    # A small offset must not make the sine clip.
    spare = min(2, half // 4)
    return measured, enob(convert, config.converters, spare - half, half - 1 - spare)


def transfer(analog: Analog) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the codes [n, converters] of inputs [n], in ideal LSB, around zero."""
    inputs = np.arange(-8, 8, 1 / 64)
    repeated = np.repeat(inputs[:, None], analog.config.converters, axis=1)
    return converters(analog)(repeated), inputs


if __name__ == "__main__":
    cli.run(main)
