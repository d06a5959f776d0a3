"""Files of an array in SystemVerilog with `real`, beside the Verilog of a tile."""

from pathlib import Path
from typing import Any

from spec.config import ChipConfig
from spec.errors import UserError, require, require_integer, shown
from spec.files import named, read_text
from spec.real_array import NOISES, needs_dacs, needs_thresholds, without_noise


def files(config: ChipConfig, out: Path) -> dict[str, Path]:
    """Return the files by what they are, beside the Verilog of a tile in `out`."""
    tables = ["matrix", "cells"]
    tables += ["dacs"] * needs_dacs(config) + ["thresholds"] * needs_thresholds(config)
    found = {table: out.with_name(f"{_stem(out)}-{table}.hex") for table in tables}
    return {"the array": out.with_name(f"{_stem(out)}.sv")} | found


def read_weights(path: Path, config: ChipConfig) -> list[list[int]]:
    """Return the weights [rows][columns] of a file: a row a line, integers between commas.

    Raises
    ------
    UserError
        If it cannot be read, or does not hold the weights of a tile.
    """
    rows, columns = config.array.rows, config.array.columns
    lines = read_text(path, "weights").rstrip().split("\n")
    require(
        len(lines) == rows,
        f"weights {named(path)} must have a line for each of {rows} rows, not {len(lines)}",
    )
    return [
        _row(f"weights {named(path)}, line {number}", line.split(","), columns, config)
        for number, line in enumerate(lines, 1)
    ]


def contents(
    config: ChipConfig, out: Path, weights: list[list[int]] | None, seed: int
) -> dict[str, str]:
    """Return the content of each of `files`: an array with weights, or random ones of a seed."""
    from golden.tile.analog import Analog
    from golden.tile.real_array import tables
    from hw.boundary import real_array
    from ohmulator.jobs.random_chip import random_chip

    quiet = without_noise(config)
    chip = random_chip(quiet, seed)[0] if weights is None else Analog.programmed(quiet, weights)
    head = f"// Ohmulator array, configuration {quiet.whole}\n"
    texts = {"the array": head + real_array.module(quiet, _stem(out))}
    for name, table in tables(chip).items():
        texts[name] = f"{head}// {real_array.FILES[name]}\n{_hexadecimal(table)}"
    return texts


def left_out(config: ChipConfig) -> str:
    """Return a sentence about the noise that is left out; empty if there is none."""
    noise = [f"{name}={config.value(name):g}" for name in NOISES if config.value(name)]
    return f"the array has no noise: {', '.join(noise)} left out" if noise else ""


def _stem(out: Path) -> str:
    return f"{out.stem}-array"


def _row(where: str, cells: list[str], columns: int, config: ChipConfig) -> list[int]:
    require(
        len(cells) == columns,
        f"{where} must have a weight for each of {columns} columns, not {len(cells)}",
    )
    row = []
    for cell in cells:
        try:
            weight = int(cell)
        except ValueError:
            why = f"{where} must have integers between commas, not {shown(cell)}"
            raise UserError(why) from None
        row.append(require_integer(f"{where}: a weight", weight, *config.weight_range))
    return row


def _hexadecimal(table: Any) -> str:
    """Return the bits of numbers as `$readmemh` reads them, a line each."""
    words = table.astype(">f8").tobytes().hex(" ", -8)
    return words.replace(" ", "\n") + "\n"
