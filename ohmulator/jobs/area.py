"""Print cells and area of a tile and of chips: `make area`."""

from hw.tools.area import measure, table
from ohmulator import cli
from spec.load import load


def main() -> None:
    parser = cli.Parser(
        prog="ohmulator.jobs.area",
        description="Print cells and area of a tile and of chips in NAND2 equivalents.",
    )
    parser.add_argument("--config", default="digits", help="preset or TOML file (default: digits)")
    parser.add_argument("--top", help="top level (default: tile, and chips of 1 and 16 tiles)")
    args = parser.parse_args()
    if args.top:
        print(table({args.top: measure(load(args.config), args.top)}))
        return
    areas = {"tile": measure(load(args.config), "tile")}
    for tiles in (1, 16):
        areas[f"chip, tiles = {tiles}"] = measure(load(args.config, tiles=tiles), "chip")
    print(table(areas))


if __name__ == "__main__":
    cli.run(main)
