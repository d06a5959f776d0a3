"""Run the commands that build a simulator."""

import os
from collections.abc import Sequence
from pathlib import Path

from environment.tools import Simulator
from environment.variables import kept
from sim.failure import failure
from sim.process import KILLED, PatienceError, describe, run

PATIENCE_S = 3600.0
"""Longest time in seconds of one command of a build."""


def run_steps(
    name: str, commands: Sequence[Sequence[str]], folder: Path, simulator: Simulator
) -> None:
    """Run the commands that build something, one after the other, in a folder.

    Raises
    ------
    SimulationError
        If one of them fails.
    """
    log = folder / "build.log"
    variables = kept(os.environ) | simulator.env
    for command in commands:
        try:
            status = run(
                command, folder=folder, variables=variables, log=log, patience_s=PATIENCE_S
            )
        except PatienceError:
            raise failure(f"{name} was not built within {PATIENCE_S:g} s", log) from None
        except OSError as error:
            why = f"{name} could not be built: {command[0]}: {error.strerror}"
            raise failure(why, log) from None
        if status:
            why = f"{name} could not be built: {describe(status)}"
            # Compilers are started by others, which hand on no signal.
            if status > 0 and b"Killed" in log.read_bytes():
                why = f"{name} could not be built: a compiler was {KILLED}"
            raise failure(why, log)
