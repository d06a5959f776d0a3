"""Write the SPICE netlist of a programmed array: `make spice`."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from environment.files import write_whole
from golden.array.spice import netlist
from ohmulator import cli
from ohmulator.jobs.random_chip import random_chip
from spec.config import ChipConfig
from spec.errors import UserError, require, require_integer
from spec.load import load

QUICK_CELLS = 64 * 64
"""Beyond it the user is told that ngspice takes a while: about 20 s for twice as many cells."""


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator.jobs.spice",
        description="Write one array of a chip, programmed with random weights, as a SPICE netlist "
        "with its wires. `ngspice -b FILE` prints the column currents, and the head of the file "
        "has those that the model computes.",
    )
    parser.add_argument(
        "--config", default="pku2025", help="preset or TOML file (default: pku2025)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default: 0)")
    parser.add_argument("--slice", type=int, default=0, help="which array (default: 0)")
    parser.add_argument(
        "--drive",
        help="DAC codes of the word lines: one for all, or one each, between commas (default: "
        "v_read_v on all)",
    )
    parser.add_argument("--out", type=Path, help="file to write (default: out/spice/CONFIG.sp)")
    return parser.parse_args()


def main() -> int:
    args = parse()
    console = Console(highlight=False)
    config = load(args.config)
    require_integer("seed", args.seed, 0, 2**32 - 1)
    require_integer(
        "slice", args.slice, 0, config.array.slices - 1, " (slices of the configuration)"
    )
    physics = config.physics
    require(
        physics.cells.nonlinearity == 0,
        f"the netlist has resistors for cells, but nonlinearity is "
        f"{physics.cells.nonlinearity:g} per volt: set it to 0",
    )
    volts = drive_v(config, args.drive)
    analog, _ = random_chip(config, args.seed)
    deck = netlist(
        analog.array.g_s[args.slice],
        volts,
        physics.wires.r_word_ohm,
        physics.wires.r_bit_ohm,
        physics.wires.r_driver_ohm,
        physics.wires.r_sense_ohm,
    )
    currents = volts @ analog.array.effective_s[args.slice]
    head = [
        f"* Array of slice {args.slice} of configuration {args.config}, hash {config.whole}",
        "* What the model computes, in amperes:",
        *(f"*   i(Vout{line}) = {amperes:.6e}" for line, amperes in enumerate(currents)),
    ]
    path = args.out or Path("out/spice") / f"{Path(args.config).stem}.sp"
    write_whole(path, "\n".join([*head, deck]))
    slow = config.array.rows * config.bit_lines > QUICK_CELLS
    console.print(
        f"wrote {path}: {config.array.rows} x {config.bit_lines} cells; run it with "
        f"ngspice -b {path}{' (takes from half a minute up)' if slow else ''}",
        soft_wrap=True,
    )
    return 0


def drive_v(config: ChipConfig, codes: str | None) -> NDArray[np.float64]:
    """Return the word-line voltages [rows] for codes as on the command line, DACs ideal.

    Raises
    ------
    UserError
        If they are not integers within `code_range`, or neither one nor `rows` of them.
    """
    if codes is None:
        return np.full(config.array.rows, config.converter.v_read_v)
    try:
        values = [int(code) for code in codes.split(",")]
    except ValueError:
        raise UserError(f"drive must be integers between commas, not {codes!r}") from None
    require(
        len(values) in (1, config.array.rows),
        f"drive must be 1 DAC code or {config.array.rows} (rows), not {len(values)}",
    )
    for value in values:
        require_integer("a DAC code of drive", value, *config.code_range)
    return np.broadcast_to(np.array(values) * config.v_step_v, config.array.rows).astype(np.float64)


if __name__ == "__main__":
    cli.run(main)
