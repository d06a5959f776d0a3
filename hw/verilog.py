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
from hw import macro
from hw.chip import AxiChip, UartChip
from hw.tile import Tile

TOPS: dict[str, Callable[[ChipConfig], wiring.Component]] = {
    "tile": Tile,
    "chip": AxiChip,
    "chip_uart": UartChip,
    "chip_traced": partial(AxiChip, traced=True),
}
"""Top levels by name."""

ANALOG = "ports", "blackbox"


def generate(config: ChipConfig, top: str, analog: str = "ports") -> str:
    """Return the Verilog of a top level, headed by the configuration and its hash.

    `analog` says what stands for the arrays: `ports` of the top level, or a `blackbox` inside the
    chip, see `hw.macro`.

    Raises
    ------
    UserError
        If there is no such top level, or it cannot have the arrays so.
    """
    require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    require(analog in ANALOG, f"ANALOG must be one of {', '.join(ANALOG)}, not {analog!r}")
    blackbox = analog == "blackbox"
    require(not blackbox or top == "chip", f"only the top level chip has black boxes, not {top}")
    design = AxiChip(config, blackbox=True) if blackbox else TOPS[top](config)
    body = verilog.convert(design, name=top, emit_src=False, strip_internal_attrs=True)
    if blackbox:
        body += macro.stub(config)
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
    parser.add_argument(
        "--analog",
        default="ports",
        help=f"what stands for the arrays: {', '.join(ANALOG)} (default: ports)",
    )
    parser.add_argument("--out", type=Path, help="file to write (default: build/TOP-CONFIG.v)")
    args = parser.parse_args()

    config = load(args.config)
    path = args.out or Path("build") / f"{args.top}-{Path(args.config).stem}.v"
    cli.write_whole(path, generate(config, args.top, args.analog))
    print(f"wrote {path}: top level {args.top}, configuration hash {config.hash}")


if __name__ == "__main__":
    cli.run(main)
