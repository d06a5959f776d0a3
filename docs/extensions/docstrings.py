"""Docstrings as they are written here: names in single backticks, formulas indented.

A name is a link where the site describes it, else it is code.
"""

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def definition(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, *_: Any
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Return a reference that may lead nowhere: the default role."""
    code = nodes.literal(text, text)
    reference = pending_xref(
        "", code, refdomain="py", reftype="obj", reftarget=text, optional=True, refspecific=True
    )
    return [reference], []


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, code: nodes.Node
) -> nodes.Node | None:
    """Resolve `golden.tile.tile.Tile` where `golden.tile` is the package that offers `Tile`."""
    parts = node["reftarget"].split(".")
    domain = env.domains.python_domain
    for dropped in range(1, len(parts) - 1):
        shorter = ".".join(parts[:dropped] + parts[dropped + 1 :])
        document = node.get("refdoc", "")
        found = domain.resolve_xref(env, document, app.builder, "obj", shorter, node, code)
        if found:
            return found
    return code if node.get("optional") else None


def as_literals(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Turn indented paragraphs, which reStructuredText takes for quotations, into literals."""
    for at in reversed(range(2, len(lines))):
        indented, before = lines[at].startswith("    "), lines[at - 2]
        if indented and not lines[at - 1] and before and not before.startswith((" ", ":", "..")):
            lines[at - 1 : at - 1] = ["", "::"]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("definition", definition)
    app.connect("missing-reference", resolve)
    # After napoleon, which reads the sections.
    app.connect("autodoc-process-docstring", as_literals, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
