"""Hand a job to a simulator, and its outcome back, as files of a folder that belongs to one run."""

import pickle
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "OHMULATOR_RUN"
"""Environment variable that names the folder."""

JOB, OUTCOME, PROGRESS, SIGN = "job", "outcome", "progress", "sign-of-life"
"""Files in it: what to do, what came of it, how much of it is done, and an empty one that is
touched as long as simulated time goes on."""

RESULTS = "results.xml"
"""File in it with the error that a testbench ended in, as JUnit writes it."""


def save(path: Path, value: object) -> None:
    """Write a job or an outcome."""
    with path.open("wb") as file:
        pickle.dump(value, file, pickle.HIGHEST_PROTOCOL)


def read(path: Path) -> Any:
    """Return what `save` wrote."""
    with path.open("rb") as file:
        return pickle.load(file)
