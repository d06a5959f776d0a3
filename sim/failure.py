"""Say why there is no outcome of a simulation, and keep the log that says more."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from environment.files import BUILDS
from spec.errors import HelperError

LOGS = BUILDS / "logs"
"""Folder of the logs of what failed."""


class SimulationError(HelperError):
    """A simulator gave no outcome; the message says why and where its log is."""


class BrokenRuleError(SimulationError):
    """The RTL broke a rule that its testbench asserts; the message says which."""

    status = 1


def failure(why: str, log: Path, error: type[SimulationError] = SimulationError) -> SimulationError:
    """Return an error that says why, and keep the log whatever becomes of its folder."""
    try:
        LOGS.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{log.stem}-", suffix=".log", dir=LOGS)
        with os.fdopen(handle, "wb") as copy, contextlib.suppress(FileNotFoundError):
            with log.open("rb") as source:
                shutil.copyfileobj(source, copy)
    except OSError as refused:
        return error(f"{why}; its log could not be kept: {refused.strerror}")
    return error(f"{why}; the log is {LOGS / Path(name).name}")
