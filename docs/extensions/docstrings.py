"""Docstrings as they are written here: names in single backticks, formulas indented.

A name is a link where the site describes it; else it is code, if there is such a thing at all.
"""

import importlib
import re
from typing import Any

from docutils import nodes
from numpy.typing import ArrayLike
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

from ohmulator.pages.api import AREAS
from spec.table import Table

ARRAY_LIKE = stringify_annotation(ArrayLike, "smart")
NDARRAY = re.compile(
    r"~?numpy\.ndarray\[tuple\[~?typing\.Any, \.\.\.\], ~?numpy\.dtype\[(~?[\w.]+)\]\]"
)
COLON = "\N{MODIFIER LETTER COLON}"


def named(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, *_: Any
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Return a reference to what is named, or code: the default role."""
    context = inliner.document.settings.env.ref_context
    reference = pending_xref(
        "",
        nodes.literal(text, text),
        refdomain="py",
        reftype="obj",
        reftarget=text,
        # A name of this project is one, or out of date.
        optional=text.partition(".")[0] not in AREAS,
        **{key: context.get(key) for key in ("py:module", "py:class")},
    )
    return [reference], []


def exists(target: str) -> bool:
    """Tell whether a dotted name is one of Python."""
    parts = target.split(".")
    for taken in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:taken]))
        except ImportError:
            continue
        for part in parts[taken:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Node
) -> nodes.Node | None:
    """Resolve names of Python that are not written as the site has them.

    `golden.tile.tile.Tile` is what `golden.tile` offers as `Tile`, and `Tile` alone is the only
    one of that name.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    parts = target.split(".")
    domain, page = env.domains.python_domain, node.get("refdoc", "")
    written = [".".join(parts[:at] + parts[at + 1 :]) for at in range(1, len(parts) - 1)]
    alike = [name for name in domain.objects if name.endswith(f".{target}")]
    for name in [*written, *(alike if len(alike) == 1 else [])]:
        found = domain.resolve_xref(env, page, app.builder, "obj", name, node, content)
        if found:
            return found
    return content if node.get("optional") or exists(target) else None


def shorten(
    app: Sphinx,
    what: str,
    name: str,
    thing: Any,
    options: Any,
    signature: str | None,
    result: str | None,
) -> tuple[str | None, str | None] | None:
    """Write types of arrays as in the source, and no fields of tables, which have a page."""
    if isinstance(thing, type) and issubclass(thing, Table):
        return "", None

    def short(text: str | None) -> str | None:
        text = text and text.replace("<factory>", "...")
        return text and NDARRAY.sub(
            r"~numpy.typing.NDArray[\1]", text.replace(ARRAY_LIKE, "~numpy.typing.ArrayLike")
        )

    return short(signature), short(result)


def hide_colons(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Keep what stands before a colon from being taken for the type of a property."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", COLON)


def finish(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Turn indented paragraphs, which reStructuredText takes for quotations, into literals."""
    lines[:] = [line.replace(COLON, ":") for line in lines]
    if lines[:1] and lines[0].startswith("Alias for field number"):
        lines.clear()
    for at in reversed(range(2, len(lines))):
        indented, before = lines[at].startswith("    "), lines[at - 2]
        text = before and not before.startswith((" ", ":", "..")) and not before.endswith("::")
        if indented and not lines[at - 1] and text:
            lines[at - 1 : at - 1] = ["", "::"]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("named", named)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-signature", shorten)
    # Napoleon, which reads the sections, comes between.
    app.connect("autodoc-process-docstring", hide_colons, priority=100)
    app.connect("autodoc-process-docstring", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
