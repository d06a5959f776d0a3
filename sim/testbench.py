"""Make cocotb tests that do a job of the process that runs the simulator."""

import functools
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from sim.exchange import FOLDER_VARIABLE, JOB, OUTCOME, PROGRESS, SIGN, read, save
from sim.streams import watch_channels

SIGN_NS, SIGN_S = 10_000, 1.0
"""Simulated and real time after which the next sign of life is given, at the earliest."""

Body = Callable[[Any, Any, Path], Awaitable[Any]]


def testbench(body: Body) -> Any:
    """Return the cocotb test of a coroutine that makes an outcome of design, job and folder.

    Whatever the coroutine does, the AXI ports of the design are watched.
    """

    @functools.wraps(body)
    async def test(dut: Any) -> None:
        folder = Path(os.environ[FOLDER_VARIABLE])
        cocotb.start_soon(_live(folder / SIGN))
        watch_channels(dut)
        save(folder / OUTCOME, await body(dut, read(folder / JOB), folder))

    return cocotb.test()(test)


def tell(folder: Path, done: int) -> None:
    """Leave the number of things that are done for the process that runs the simulator."""
    (folder / PROGRESS).write_text(str(done))


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
