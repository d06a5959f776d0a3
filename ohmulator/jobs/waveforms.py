"""Waveforms of a simulation among the results of a job."""

import contextlib
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from environment.files import BUILDS, Outputs

NAMES = {
    "the waveform": "boundary.vcd",
    "the view of the waveform": "boundary.gtkw",
    "the waveform of the RTL (Verilator)": "rtl.vcd",
    "the waveform of the RTL (Icarus)": "rtl.fst",
}
"""Names of the files that `sim.runner.Build.run` leaves, by what they hold."""


def files(folder: Path) -> dict[str, Path]:
    """Return the paths that waveforms get in a folder of results, by what they hold."""
    return {what: folder / name for what, name in NAMES.items()}


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for waveforms, which may be large, where builds are."""
    BUILDS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="waveforms-", dir=BUILDS) as folder:
        yield Path(folder)


def found(folder: Path) -> dict[str, Path]:
    """Return the waveforms that a simulation left in a folder, by what they hold."""
    return {what: path for what, path in files(folder).items() if path.exists()}


def viewer(outputs: Outputs) -> str:
    """Return the command that shows the waveform."""
    return f"gtkwave {shlex.quote(str(outputs['the view of the waveform']))}"
