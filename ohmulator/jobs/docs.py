"""Build the site of the documentation: `make docs`."""

import argparse
import importlib.util
from pathlib import Path

from environment.files import require_writable
from ohmulator import cli
from spec.errors import require

DOCS = Path(__file__).parents[2] / "docs"


def parse() -> argparse.Namespace:
    parser = cli.Parser(
        prog="ohmulator docs", description="Build the site of the documentation, links checked."
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/site"), help="folder (default: build/site)"
    )
    return parser.parse_args()


def build(sources: Path, out: Path) -> int:
    """Build the site of a folder of sources; return 0, or 1 if there was a warning.

    A link that leads nowhere is one.
    """
    from sphinx.cmd.build import build_main

    # All pages are read anew: Sphinx does not see what the generated ones depend on.
    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env", "--quiet"]
    doctrees = out.with_name(f"{out.name}-doctrees")
    return build_main([*options, "--doctree-dir", str(doctrees), str(sources), str(out)])


def main() -> int:
    args = parse()
    require_writable(args.out)
    require(
        importlib.util.find_spec("sphinx") is not None,
        "Sphinx is not installed: `make docs` installs it",
    )
    status = build(DOCS, args.out)
    if not status:
        print(f"wrote {args.out / 'index.html'}")
    return status


if __name__ == "__main__":
    cli.run(main)
