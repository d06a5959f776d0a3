"""Write the generated pages of the documentation: `make docs`."""

from collections.abc import Sequence
from pathlib import Path

from environment.files import Outputs
from ohmulator import cli
from spec.load import load

DOCS = Path(__file__).parents[2] / "docs"
PINS_PRESET = "digits"
PAGES = "machine.md", "pins.md"


def documents() -> dict[str, str]:
    """Return the generated pages by the names of their files in `docs`."""
    from ohmulator import pins, reference

    return {
        "machine.md": reference.reference(),
        "pins.md": pins.document(load(PINS_PRESET), PINS_PRESET),
    }


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("docs")
    parser.out(str(DOCS), "folder")
    args = parser.read(argv)
    outputs = Outputs({page: args.out / page for page in PAGES})

    outputs.write(documents())
    for page in PAGES:
        cli.say(f"wrote {outputs[page]}")
    return 0
