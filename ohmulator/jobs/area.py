"""Print cells and area of a tile and of chips: `make area`."""

from collections.abc import Sequence

from ohmulator import cli
from spec.load import load
from spec.pace import pace_warning
from spec.tops import TOPS

CHIPS = 1, 16
"""Numbers of tiles of the chips that are measured."""


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

    from hw.tools.area import measure, table
    from ohmulator.jobs.screen import Screen

    cli.say(table({name: measure(*design) for name, design in designs.items()}))
    for name, (config, top) in designs.items():
        if top != "tile" and (warning := pace_warning(config)):
            Screen().warn(f"{name}: {warning}")
    return 0
