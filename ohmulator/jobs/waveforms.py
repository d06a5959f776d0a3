"""Waveforms of a simulation among the results of a job."""

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from environment.files import BUILDS, Content, Outputs
from ohmulator import cli
from spec.files import named

NAMES = {
    "the waveform": "boundary.vcd",
    "the view of the waveform": "boundary.gtkw",
    "the waveform of the RTL (Verilator)": "rtl.vcd",
    "the waveform of the RTL (Icarus)": "rtl.fst",
}
"""Names of the files that `sim.runner.Build.run` leaves, by their contents."""


def files(folder: Path) -> dict[str, Path]:
    """Return the paths of waveforms in a folder of results, by their contents."""
    return {what: folder / name for what, name in NAMES.items()}


def contents(folder: Path) -> dict[str, Content]:
    """Return the waveforms that a simulation left in a folder, by their contents."""
    return {what: path for what, path in files(folder).items() if path.exists()}


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for the waveforms of a simulation, which lasts until they are written."""
    BUILDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="waveforms-", dir=BUILDS) as name:
        yield Path(name)


def write(outputs: Outputs, contents: Mapping[str, Content]) -> None:
    """Write the results of a job, and say which waveforms of an earlier one that removes.

    Raises
    ------
    UserError
        If a file cannot be written or removed.
    """
    for path in outputs.write(contents):
        cli.say(f"removed {named(path)}, a waveform of an earlier run")


def viewer(outputs: Outputs) -> str:
    """Return the command that shows the waveform."""
    return f"gtkwave {shlex.quote(str(outputs['the view of the waveform']))}"
