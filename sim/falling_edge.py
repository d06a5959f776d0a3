"""Call a function at every falling edge of a clock.

A coroutine that awaits the edge does the same, but waking it up takes as long as a bridge's own
work in a cycle; the simulator's callback is used instead.
"""

from collections.abc import Callable

from cocotb import simulator
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event


class FallingEdgeHook:
    """Call `function` at every falling edge of `clock` until `stop` or until it fails."""

    def __init__(self, clock: SimHandleBase, function: Callable[[], None]):
        self._clock, self._function = clock, function
        self._failed = Event()
        self._error: Exception | None = None
        self._await_edge()

    async def failure(self) -> None:
        """Wait until the function raises, and raise that here, where the test sees it."""
        await self._failed.wait()
        assert self._error
        raise self._error

    def stop(self) -> None:
        """Call no more."""
        self._callback.deregister()

    def _await_edge(self) -> None:
        self._callback = simulator.register_value_change_callback(
            self._clock._handle, self._fire, simulator.FALLING
        )

    def _fire(self) -> None:
        # A callback serves once.
        self._await_edge()
        try:
            self._function()
        except Exception as error:
            self.stop()
            self._error = error
            self._failed.set()
