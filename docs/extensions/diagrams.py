"""Diagrams as part of the page, so that their colours follow its theme.

```{diagram} tile.svg
Caption, which is also what is read out.
```
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Diagram(SphinxDirective):
    """Put an SVG file, given relative to `docs/pictures`, into the page."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / "pictures" / self.arguments[0]
        self.env.note_dependency(str(path))
        drawing = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", path.read_text("utf-8"), flags=re.DOTALL)
        caption = " ".join(self.content)
        drawing = drawing.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
        figure = nodes.figure("", classes=["diagram"])
        figure += nodes.raw("", drawing, format="html")
        figure += nodes.caption("", "", *self.parse_inline(caption)[0])
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("diagram", Diagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
