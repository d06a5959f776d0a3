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


def main() -> int:
    args = parse()
    require_writable(args.out)
    require(
        importlib.util.find_spec("sphinx") is not None,
        "Sphinx is not installed: `make docs` installs it",
    )
    from sphinx.cmd.build import build_main

    # Every warning is an error, a link that leads nowhere among them. All pages are read anew:
    # Sphinx does not see what the generated ones depend on.
    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env", "--quiet"]
    trees = ["--doctree-dir", str(args.out.with_name(f"{args.out.name}-doctrees"))]
    status = build_main([*options, *trees, str(DOCS), str(args.out)])
    if not status:
        print(f"wrote {args.out / 'index.html'}")
    return status


if __name__ == "__main__":
    cli.run(main)
