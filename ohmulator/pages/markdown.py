"""Pieces of Markdown."""

import inspect
from collections.abc import Iterable, Sequence


def text(described: object) -> str:
    """Return the docstring of something but its first line, which says what that is."""
    return inspect.cleandoc(described.__doc__ or "").partition("\n\n")[2]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells may hold any character."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )
