"""Equations as drawings that are part of the page: no script, no font, no network.

A browser's own MathML looks as good as the mathematical fonts of the reader's system, which most
lack; ziamath draws with a font of its own. The source of an equation is its text for those who
cannot see it.
"""

from html import escape
from typing import Any

import ziamath
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

SIZE = 17.0
"""Height of the font in pixels, that of the text around it."""

TALLEST = 250.0
"""Height of a drawing in pixels beyond which a bracket has gone astray, as `\\lfloor` does without
`\\left`."""

logger = logging.getLogger(__name__)


def svg(source: str, where: nodes.Element, *, inline: bool) -> str:
    """Return an equation as an SVG element, in the colour of the text."""
    drawn = ziamath.Latex(source, size=SIZE, color="currentColor", inline=inline)
    if drawn.getsize()[1] > TALLEST:
        logger.warning("equation is drawn too tall: %s", source, location=where)
    about = f'<svg class="equation" role="img" aria-label="{escape(source)}"'
    if inline:
        about += f' style="vertical-align: {drawn.getyofst():.2f}px"'
    return drawn.svg().replace("<svg", about, 1)


def visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(svg(node.astext(), node, inline=True))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="equation">{svg(node.astext(), node, inline=False)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    ziamath.config.svg2 = True
    app.add_html_math_renderer("svg", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
