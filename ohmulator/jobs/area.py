"""Print cells of a tile and of chips, on an ASIC and on FPGAs: `make area`."""

from collections.abc import Sequence

from ohmulator import cli
from spec.load import load
from spec.pace import pace_warning
from spec.tops import TOPS

CHIPS = 1, 16
"""Numbers of tiles of the chips that are measured."""

MOST_MAPPED = 4
"""Tiles of a chip that is mapped to FPGAs; mapping takes minutes a tile."""


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("area", "TOP all is a tile, and chips of 1 and 16 tiles.")
    parser.config("digits")
    parser.choice("top", "all", ("all", *TOPS), "top level")
    args = parser.read(argv)
    if args.top == "all":
        designs = {"tile": (load(args.config), "tile")}
        for tiles in CHIPS:
            designs[f"chip, tiles = {tiles}"] = load(args.config, tiles=tiles), "chip"
    else:
        designs = {args.top: (load(args.config), args.top)}

    from hw.tools import area, fpga
    from ohmulator.jobs.screen import Screen

    fpga.require_yosys()
    cli.say(area.table({name: area.measure(*design) for name, design in designs.items()}))
    mapped = {
        name: (config, top)
        for name, (config, top) in designs.items()
        if top == "tile" or config.machine.tiles <= MOST_MAPPED
    }
    with Screen().progress("mapped to FPGAs", len(mapped) * len(fpga.FAMILIES)) as update:
        found = fpga.measure(mapped, update)
    if found:
        cli.say("\n" + fpga.table(found))
    for name in designs.keys() - mapped.keys():
        cli.say(f"\n{name}: not mapped to FPGAs, as chips of more than {MOST_MAPPED} tiles")
    for name, (config, top) in designs.items():
        if top.startswith("chip") and (warning := pace_warning(config)):
            Screen().warn(f"{name}: {warning}")
    return 0
