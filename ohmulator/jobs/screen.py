"""Print tables, warnings and progress of a job.

A path or a value that looks like markup or an emoji is none: `cli.say` and this module are all that
jobs print with.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ohmulator import cli


class Screen:
    """Standard output of a job."""

    def __init__(self) -> None:
        self._console = _Console(highlight=False, markup=False, emoji=False)

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        self._console.print(f"warning: {sentence}", style="yellow", soft_wrap=True)

    def table(
        self, title: str, sections: Sequence[Sequence[Sequence[str]]], head: Sequence[str] = ()
    ) -> None:
        """Print rows of cells in sections; the first column is words, the others are numbers."""
        table = Table(show_header=bool(head))
        columns = len(sections[0][0])
        for column, name in enumerate(head or [""] * columns):
            table.add_column(name, justify="right" if column else "left")
        for section in sections:
            for row in section:
                table.add_row(*row)
            table.add_section()
        if title.isprintable() and cell_len(title) <= self._console.measure(table).maximum:
            table.title = title
        else:
            cli.say(title)
        self._console.print(table)

    @contextlib.contextmanager
    def status(self, doing: str) -> Iterator[Callable[[str], None]]:
        """Show an activity on a terminal; yield a function that changes its text."""
        with self._console.status(Text(doing)) as status:
            yield lambda text: status.update(Text(text))

    @contextlib.contextmanager
    def progress(self, doing: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar on a terminal; yield a function that is told how much of `total` is done."""
        text = TextColumn("{task.description}", markup=False)
        columns = text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        silent = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=silent) as progress:
            bar = progress.add_task(doing, total=total)
            yield lambda done: progress.update(bar, completed=done)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on in silence: the figures and the exit status still matter."""
        cli.drop_output()
