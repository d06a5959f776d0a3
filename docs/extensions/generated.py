"""Pages that are written from the definitions, when the site is built.

```{generated} machine
```

Text is put in before the page is parsed, so that its headings are those of the page.
"""

import re

from sphinx.application import Sphinx

from ohmulator.pages import PAGES

GENERATED = re.compile(r"^```\{generated\} (.*)\n```$", re.MULTILINE)


def put_in(app: Sphinx, name: str, source: list[str]) -> None:
    """Replace each directive by what its function of `ohmulator.pages.PAGES` returns."""

    def written(match: re.Match[str]) -> str:
        page, *arguments = match[1].split()
        return PAGES[page](*arguments)

    source[0] = GENERATED.sub(written, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", put_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
