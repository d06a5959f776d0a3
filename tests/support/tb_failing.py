"""End in one of the ways in which a simulation can fail."""

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cocotb.triggers import Timer

from sim.exchange import OUTCOME
from sim.testbench import testbench


class Unreadable:
    """Something that can be saved, but not read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def _raise(error: Exception) -> Any:
    raise error


def _leave(outcome: bytes, folder: Path) -> None:
    (folder / OUTCOME).write_bytes(outcome)
    os._exit(0)


WAYS: dict[str, Callable[[Path], Any]] = {
    "killed": lambda folder: os.kill(os.getpid(), signal.SIGKILL),
    "crashed": lambda folder: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda folder: os._exit(4),
    "no outcome": lambda folder: os._exit(0),
    "empty outcome": lambda folder: _leave(b"", folder),
    "truncated outcome": lambda folder: _leave(b"\x80\x05\x95\xff", folder),
    "unreadable outcome": lambda folder: Unreadable(),
    "unwritable outcome": lambda folder: lambda: None,
    "memory": lambda folder: _raise(MemoryError("Unable to allocate 9 PiB")),
    "full disk": lambda folder: _raise(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
    "error": lambda folder: _raise(ValueError("first line\nsecond line")),
    "assertion": lambda folder: _raise(AssertionError("valid fell")),
    "hang": lambda folder: time.sleep(1000),
}


@testbench
async def fail(dut: Any, job: str | Path, folder: Path) -> Any:
    """Fail in the way with a name; or, given a path, leave the process id there and run on."""
    if isinstance(job, Path):
        job.write_text(str(os.getpid()))
        while True:
            await Timer(1, "us")
    await Timer(1, "us")
    return WAYS[job](folder)
