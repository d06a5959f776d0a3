"""Generate Verilog: the same bytes for the same configuration, from any folder."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

from amaranth.back import verilog
from amaranth.lib import wiring

from golden import cli
from golden.config import ChipConfig, load
from golden.errors import require
from hw.chip import AxiChip, UartChip
from hw.tile import Tile

TOPS: dict[str, Callable[[ChipConfig], wiring.Component]] = {
    "tile": Tile,
    "chip": AxiChip,
    "chip_uart": UartChip,
    "chip_traced": partial(AxiChip, traced=True),
}
"""Top levels by name."""


def generate(config: ChipConfig, top: str) -> str:
    """Return the Verilog of a top level, headed by the configuration and its hash.

    Raises
    ------
    UserError
        If there is no such top level.
    """
    require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    body = verilog.convert(TOPS[top](config), name=top, emit_src=False, strip_internal_attrs=True)
    fields = dataclasses.asdict(config)
    # No Verilog depends on it.
    del fields["physics"]
    lines = [f"Ohmulator {top}", f"configuration hash {config.hash}"]
    lines += [f"  {name} = {value}" for name, value in fields.items()]
    return "".join(f"// {line}\n" for line in lines) + body


def main() -> None:
    parser = cli.Parser(prog="hw.verilog", description="Write Verilog.")
    parser.add_argument("--config", default="digits", help="preset or TOML file (default: digits)")
    parser.add_argument("--top", default="tile", help=f"top level: {', '.join(TOPS)}")
    parser.add_argument("--out", type=Path, help="file to write (default: build/TOP-CONFIG.v)")
    args = parser.parse_args()

    config = load(args.config)
    path = args.out or Path("build") / f"{args.top}-{Path(args.config).stem}.v"
    cli.write_whole(path, generate(config, args.top))
    print(f"wrote {path}: top level {args.top}, configuration hash {config.hash}")


if __name__ == "__main__":
    cli.run(main)
