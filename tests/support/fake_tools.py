"""Programs that stand for the tools of a simulator, and do as they are told."""

import os
import shutil
from pathlib import Path

import pytest

ENDS = {
    "fails": "echo 'no such thing' >&2; exit 1",
    "is killed": "kill -KILL $$",
    "has a killed child": "echo 'Killed signal terminated program cc1plus' >&2; exit 2",
    "hangs": "sleep 1000",
    "writes half": "echo half > sim.vvp; exit 3",
}
"""Ends of a program, as lines of shell."""


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, **lines: str) -> None:
    """Put programs before all others, each with lines of shell that are run.

    `$REAL` is the program that would have been found. It is asked for its version.
    """
    folder.mkdir(exist_ok=True)
    for name, line in lines.items():
        real = shutil.which(name)
        program = folder / name
        program.write_text(
            f"#!/bin/sh\nREAL='{real}'\n[ \"$1\" = -V ] && exec '{real}' -V\n{line}\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
