"""The command line: what `--help` says of each job."""

import os
import subprocess
import sys

from ohmulator.jobs import JOBS


def document() -> str:
    """Return the page."""
    parts = []
    for job in JOBS:
        parts += [f"## {job}", f"```text\n{help_of(job)}```"]
    return "\n\n".join(parts) + "\n"


def help_of(job: str) -> str:
    """Return what a job prints with `--help`."""
    env = os.environ | {"COLUMNS": "90", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "ohmulator", job, "--help"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
