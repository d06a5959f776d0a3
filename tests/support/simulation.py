"""Amaranth's simulator, kept for many tests of one design: to build it takes longer than to run."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.monitors import simulator


class Simulation:
    """A design that jobs find as the job before has left it."""

    def __init__(self, design: Any):
        self._simulator = simulator(design)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._serve)
        self._job: Callable[[Any], Awaitable[None]] | None = None
        self._error: Exception | None = None

    def run(self, job: Callable[[Any], Awaitable[None]]) -> None:
        """Run a job, given the simulator's context, to its end; raise what it raises."""
        self._job, self._error = job, None
        while self._job:
            self._simulator.advance()
        if self._error:
            raise self._error

    async def _serve(self, ctx) -> None:
        while True:
            await ctx.tick()
            if self._job:
                try:
                    await self._job(ctx)
                except Exception as error:
                    self._error = error
                self._job = None
