"""Write docs/pins.md, the pins of the analogue macro."""

from pathlib import Path

from golden import cli
from golden.config import load
from hw.macro import document

DOCUMENT = Path(__file__).parents[1] / "docs" / "pins.md"
PRESET = "digits"


def main() -> None:
    parser = cli.Parser(prog="hw.pins", description="Write the pins of the analogue macro.")
    parser.add_argument("--config", default=PRESET, help="preset or TOML file (default: digits)")
    parser.add_argument("--out", type=Path, default=DOCUMENT, help=f"file (default: {DOCUMENT})")
    args = parser.parse_args()
    cli.write_whole(args.out, document(load(args.config), args.config))
    print(f"wrote {args.out}")


if __name__ == "__main__":
    cli.run(main)
