"""Run a program to its end, or to the end of patience, and leave none of its children behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_S = 0.05
"""Time between two looks at a program that runs."""


KILLED = "killed, as by a system that runs out of memory"


class PatienceError(Exception):
    """A program gave no sign of life for too long, and was ended."""


def run(
    command: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    log: Path,
    patience_s: float,
    sign: Path | None = None,
    on_poll: Callable[[], None] = lambda: None,
) -> int:
    """Run a program, and return its exit status, or the negative number of the signal it died of.

    Parameters
    ----------
    command
        Program and arguments.
    folder
        Where it runs.
    variables
        Its whole environment.
    log
        File that its output is appended to.
    patience_s
        Longest time in seconds from its start, or from the last change of the file `sign`.
    sign
        File that the program touches as long as all is well.
    on_poll
        Called now and then while the program runs.

    Raises
    ------
    PatienceError
        If patience ends.
    OSError
        If the program cannot be started or the log cannot be written.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own, to be ended as a whole.
            start_new_session=True,
        )
        try:
            begun = time.time()
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(POLL_S)
                on_poll()
                if time.time() - max(begun, _changed(sign)) > patience_s:
                    raise PatienceError
        finally:
            _end(process)


def describe(status: int) -> str:
    """Say how a program ended that returned a status other than 0."""
    if status > 0:
        return f"it ended with exit status {status}"
    if -status == signal.SIGKILL:
        return f"it was {KILLED}"
    return f"it died of {signal.Signals(-status).name}"


def _changed(sign: Path | None) -> float:
    """Return the time of the last change of a file, 0 if there is none."""
    if sign:
        with contextlib.suppress(OSError):
            return sign.stat().st_mtime
    return 0.0


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a program and its children."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
