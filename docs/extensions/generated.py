"""Pages that are written from the definitions, when the site is built.

```{generated} machine
```
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ohmulator.pages import PAGES


class Generated(SphinxDirective):
    """Put what a function of `ohmulator.pages.PAGES` returns into the page, headings included."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, *arguments = self.arguments
        self.env.note_reread()
        return self.parse_text_to_nodes(PAGES[name](*arguments), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("generated", Generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
