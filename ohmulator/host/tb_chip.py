"""Test a chip: run a host's session with it, in lockstep with the model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import Task, bridge, resume
from cocotb.triggers import FallingEdge
from numpy.typing import NDArray

from ohmulator.host.host import Host
from ohmulator.host.simulated import SimulatedCarrier
from sim.lockstep import Lockstep
from sim.signals import write_flag
from sim.testbench import testbench
from spec.config import ChipConfig

TIMEOUT_S = 1e-3
"""Simulated time in which the chip must answer."""


@dataclass(frozen=True)
class ChipJob:
    """A session with a simulated chip.

    Attributes
    ----------
    config
        Configuration of the chip.
    session
        Function of a module that gets chip and argument, and returns the outcome. Its code may
        block.
    argument
        What the session is given.
    """

    config: ChipConfig
    session: "Callable[[SimulatedChip, Any], Any]"
    argument: Any = None


@dataclass
class SimulatedChip:
    """A chip in a simulator, with its model in lockstep.

    Attributes
    ----------
    dut
        Simulated top level, with a `hw.top.trace.TracePort`.
    config
        Its configuration.
    host
        Host that sends it commands.
    lockstep
        Model beside it.
    carrier
        What takes packets to it.
    """

    dut: Any
    config: ChipConfig
    host: Host = field(init=False)
    lockstep: Lockstep = field(init=False)
    carrier: SimulatedCarrier = field(init=False)
    _tasks: list[Task[None]] = field(default_factory=list)

    def reset(self) -> None:
        """Reset the chip and begin anew with blank tiles. Memories keep their contents."""
        self._reset()
        self.host = Host(self.carrier, self.config, timeout_s=TIMEOUT_S)

    @resume
    async def _reset(self) -> None:
        dut = self.dut
        edge = FallingEdge(dut.clk)
        for task in self._tasks:
            task.cancel()
        write_flag(dut.rst, 1)
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready"):
            write_flag(getattr(dut, f"s_axil__{name}"), 0)
        self.lockstep = Lockstep(dut, self.config)
        self.carrier = SimulatedCarrier(dut, self.lockstep)
        await edge
        await edge
        write_flag(dut.rst, 0)
        runs = [*(each.run() for each in self.lockstep.bridges), self.lockstep.run()]
        self._tasks = [cocotb.start_soon(run) for run in runs]

    def set_tile(self, tile: int, weights: NDArray[np.int64], program_error: float = 0.0) -> None:
        """Set the conductances of a tile, see `Lockstep.set_tile`."""
        self.lockstep.set_tile(tile, weights, program_error)

    def follow(self, limit: int, pc: int = 0) -> None:
        """Run the program at `pc` for about `limit` instructions; go on behind those in error."""
        end = self.lockstep.instructions + limit
        while pc < self.config.machine.program_words:
            self.host.start(pc)
            self.carrier.wait(
                lambda: not self.lockstep.model.status.running or self.lockstep.instructions >= end,
                -1,
            )
            if self.lockstep.instructions >= end:
                self.host.abort()
                return
            pc = self.host.status().pc + 1


@testbench
async def talk(dut: Any, job: ChipJob, _: Path) -> Any:
    """Run a session with a chip."""
    Clock(dut.clk, 2 * max(1, round(0.5e9 / job.config.machine.clock_hz)), "ns").start()

    def session() -> Any:
        chip = SimulatedChip(dut, job.config)
        chip.reset()
        return job.session(chip, job.argument)

    return await bridge(session)()
