"""Pages of the documentation as tests see them: their blocks of code, links and anchors."""

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")],
    key=lambda path: path.relative_to(PROJECT).as_posix(),
)
"""All pages: those at the top, and the sources of the site."""

FENCE = re.compile(r"^(?P<mark>```+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=mark)$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of code: what its fence names, its text, and the line of its fence."""

    language: str
    text: str
    line: int


def name(path: Path) -> str:
    """Return the path of a page within the project."""
    return path.relative_to(PROJECT).as_posix()


def blocks(path: Path) -> list[Block]:
    """Return the blocks of code of a page in order."""
    page = path.read_text(encoding="utf-8")
    return [
        Block(match["language"], match["text"], page.count("\n", 0, match.start()) + 1)
        for match in FENCE.finditer(page)
    ]


def without_code(path: Path) -> str:
    """Return the text of a page without blocks and spans of code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text(encoding="utf-8")))


def run_python(path: Path) -> Iterator[tuple[Block, str, Block | None]]:
    """Run the Python of a page, all in one namespace, block by block.

    Yields each block, what it printed, and the block `output` that follows, if one does.
    """
    namespace: dict[str, Any] = {}
    found = blocks(path)
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language != "python":
            continue
        # Line numbers of a traceback are those of the page.
        code = compile("\n" * block.line + block.text, str(path), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        shown = following if following and following.language == "output" else None
        yield block, printed.getvalue(), shown


def apply_patch(root: Path, patch: str) -> None:
    """Apply the hunks of a diff to files below a folder.

    A line `@@` begins a hunk; what follows it on the line is for the reader. The old lines of a
    hunk stand in the file exactly once: no numbers of lines are needed, nor given.
    """
    for part in re.split(r"^--- .*\n(?=\+\+\+ )", patch, flags=re.MULTILINE)[1:]:
        head, *hunks = re.split(r"^@@.*\n", part, flags=re.MULTILINE)
        path = root / head.removeprefix("+++ b/").strip()
        text = path.read_text(encoding="utf-8")
        for hunk in hunks:
            lines = [line or " " for line in hunk.splitlines()]
            old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
            new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
            found = text.count(old)
            assert found == 1, f"{found} places in {path} for\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
