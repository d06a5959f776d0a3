"""Make cocotb tests that get a job from the process that runs the simulator, and leave an outcome.

Job and outcome cross the boundary between the processes as files of a folder that belongs to one
run alone.
"""

import functools
import os
import pickle
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

JOB_VARIABLE = "OHMULATOR_JOB"
"""Environment variable that names the folder of a run."""

JOB, OUTCOME, PROGRESS, SIGN = "job", "outcome", "progress", "sign-of-life"
"""Files of that folder: what to do, what came of it, how much of it is done, and an empty one that
is touched as long as simulated time goes on."""

SIGN_NS, SIGN_S = 10_000, 1.0
"""Simulated and real time after which the next sign of life is given, at the earliest."""

Body = Callable[[Any, Any, Path], Awaitable[Any]]


def testbench(body: Body) -> Any:
    """Return the cocotb test of a coroutine that makes an outcome of design, job and folder."""

    @functools.wraps(body)
    async def test(dut: Any) -> None:
        folder = Path(os.environ[JOB_VARIABLE])
        cocotb.start_soon(_live(folder / SIGN))
        save(folder / OUTCOME, await body(dut, read(folder / JOB), folder))

    return cocotb.test()(test)


def tell(folder: Path, done: int) -> None:
    """Leave the number of things that are done for the process that runs the simulator."""
    (folder / PROGRESS).write_text(str(done))


def save(path: Path, value: object) -> None:
    """Write a job or an outcome."""
    with path.open("wb") as file:
        pickle.dump(value, file, pickle.HIGHEST_PROTOCOL)


def read(path: Path) -> Any:
    """Return what `save` wrote."""
    with path.open("rb") as file:
        return pickle.load(file)


async def _live(sign: Path) -> None:
    """Give signs of life, and end the simulator if the process that runs it does not live."""
    parent = os.getppid()
    given = -SIGN_S
    while True:
        if time.monotonic() - given >= SIGN_S:
            given = time.monotonic()
            sign.touch()
            if os.getppid() != parent:
                os._exit(1)
        await Timer(SIGN_NS, "ns")
