"""The command line: what `--help` says of each job."""

import os
import subprocess
import sys

JOBS = (
    "run",
    "program",
    "sim",
    "physics",
    "sweep",
    "spice",
    "verilog",
    "area",
    "assemble",
    "docs",
)


def document() -> str:
    """Return the page."""
    parts = []
    for job in JOBS:
        parts += [f"## {job}", f"```text\n{_help(job)}```"]
    return "\n\n".join(parts) + "\n"


def _help(job: str) -> str:
    env = os.environ | {"COLUMNS": "90", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "ohmulator", job, "--help"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
