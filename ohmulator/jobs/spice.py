"""Write one array of a chip as a SPICE netlist: `make spice`."""

import shlex
from collections.abc import Sequence
from typing import Any

from environment.files import Outputs
from ohmulator import cli
from spec.config import ChipConfig
from spec.errors import UserError, require, require_integer, shown
from spec.load import load, locate

QUICK_CELLS = 64 * 64
"""Cells beyond which ngspice takes a while: about 20 s for twice as many."""


@cli.job
def main(argv: Sequence[str]) -> int:
    args = options(argv)
    config = load(args.config)
    slice_ = cli.integer("slice", args.slice, 0, config.array.slices - 1, " (slices)")
    bend = config.physics.cells.nonlinearity
    require(
        bend == 0,
        f"the netlist has resistors for cells, but nonlinearity is {bend:g} per volt: set it to 0",
    )
    codes = drive_codes(config, args.drive)
    outputs = Outputs({"the netlist": args.out}, {"the configuration": locate(args.config)})

    import numpy as np

    from golden.array.circuit import wire_ohms
    from golden.array.spice import netlist
    from ohmulator.jobs.random_chip import random_chip

    array = random_chip(config, args.seed)[0].array
    read_v = config.converter.v_read_v
    volts = np.array([read_v if code is None else code * config.v_step_v for code in codes])
    deck = netlist(array.g_s[slice_], volts, **wire_ohms(config.physics.wires))
    head = [
        f"* Array of slice {slice_} of {cli.printable(args.config)}, hash {config.whole}",
        "* Column currents of the model, in amperes:",
    ]
    for line, amperes in enumerate(volts @ array.effective_s[slice_]):
        head.append(f"*   i(Vout{line}) = {amperes:.6e}")
    outputs.write({"the netlist": "\n".join([*head, deck])})

    size = config.array.rows * config.bit_lines
    slow = " (takes from half a minute up)" if size > QUICK_CELLS else ""
    cli.say(
        f"wrote {args.out}: {config.array.rows} x {config.bit_lines} cells; run it with "
        f"ngspice -b {shlex.quote(str(args.out))}{slow}"
    )
    return 0


def options(argv: Sequence[str]) -> Any:
    parser = cli.Parser(
        "spice",
        "`ngspice -b FILE` prints the column currents, and the head of the file has those that the "
        "model computes.",
    )
    parser.config("pku2025")
    parser.seed("of the weights")
    parser.add_argument("--slice", default="0", metavar="N", help="array (default: %(default)s)")
    parser.add_argument(
        "--drive",
        metavar="CODES",
        help="DAC codes of the word lines: one for all, or one each, between commas (default: the "
        "read voltage on all)",
    )
    parser.out("out/spice/{config}.sp", "file to write", "FILE")
    return parser.read(argv)


def drive_codes(config: ChipConfig, text: str | None) -> list[int | None]:
    """Return the DAC codes of all word lines, as on the command line; None is the read voltage.

    Raises
    ------
    UserError
        If they are not integers within `code_range`, or neither one nor `rows` of them.
    """
    rows = config.array.rows
    if text is None:
        return [None] * rows
    try:
        codes = [int(code) for code in text.split(",")]
    except ValueError:
        raise UserError(f"drive must be integers between commas, not {shown(text)}") from None
    require(
        len(codes) in (1, rows),
        f"drive must be 1 DAC code or {rows} (rows), not {len(codes)}",
    )
    checked = [require_integer("a DAC code of drive", each, *config.code_range) for each in codes]
    return [*checked] if len(checked) == rows else [*checked] * rows
