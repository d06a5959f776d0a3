"""Write the generated pages of the documentation: `make docs`."""

from pathlib import Path

from environment.files import write_whole
from ohmulator import cli, pins, reference
from spec.load import load

DOCS = Path(__file__).parents[2] / "docs"
PINS_PRESET = "digits"


def documents() -> dict[str, str]:
    """Return the generated pages by the names of their files in `docs`."""
    return {
        "machine.md": reference.reference(),
        "pins.md": pins.document(load(PINS_PRESET), PINS_PRESET),
    }


def main() -> None:
    parser = cli.Parser(
        prog="ohmulator.jobs.docs", description="Write the generated pages of the documentation."
    )
    parser.add_argument("--out", type=Path, default=DOCS, help=f"folder (default: {DOCS})")
    args = parser.parse_args()
    for name, text in documents().items():
        write_whole(args.out / name, text)
        print(f"wrote {args.out / name}")


if __name__ == "__main__":
    cli.run(main)
