"""Write Verilog: `make verilog`."""

from pathlib import Path

from environment.files import write_whole
from hw.tools.verilog import ANALOG, TOPS, generate
from ohmulator import cli
from spec.load import load


def main() -> None:
    parser = cli.Parser(prog="ohmulator.jobs.verilog", description="Write Verilog.")
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
    write_whole(path, generate(config, args.top, args.analog))
    print(f"wrote {path}: top level {args.top}, configuration hash {config.hardware}")


if __name__ == "__main__":
    cli.run(main)
