"""Build the site of the documentation: `make docs`."""

import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from environment.files import Outputs
from ohmulator import cli
from spec.errors import require

DOCS = Path(__file__).parents[2] / "docs"


def build(sources: Path, out: Path) -> int:
    """Build the site of a folder of sources; return 0, or 1 if there was a warning.

    A link that leads nowhere is one. Pages come to `out` only if there was none.
    """
    from sphinx.cmd.build import build_main

    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        trees = ["--doctree-dir", str(Path(folder) / "trees")]
        status = build_main([*options, *trees, str(sources), str(site)])
        if not status:
            shutil.copytree(site, out, dirs_exist_ok=True)
    return status


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("docs")
    parser.out("build/site", "folder of the site")
    args = parser.read(argv)
    outputs = Outputs({"the site": args.out / "index.html"}, folders=[args.out])
    out, sources = args.out.resolve(), DOCS.resolve()
    require(
        not (out.is_relative_to(sources) or sources.is_relative_to(out)),
        f"{args.out} would mix the site with its sources: take another folder",
    )
    require(
        importlib.util.find_spec("sphinx") is not None,
        "Sphinx is not installed: `make docs` installs it",
    )

    status = build(DOCS, args.out)
    if not status:
        cli.say(f"wrote {outputs['the site']}")
    return status
