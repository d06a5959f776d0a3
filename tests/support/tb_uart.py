"""Test the serial line: a host that talks over wires with faults to a memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.task import bridge

from ohmulator.host.carrier import SerialCarrier
from ohmulator.host.host import Host
from sim.testbench import testbench
from spec.isa import Space
from tests.support.link_job import LinkJob
from tests.support.serial_line import SimulatedLine, connect


@dataclass
class UartOutcome:
    """Number of wrong words, counters of the chip and of the link, and number of faults."""

    wrong: int
    counted: list[int]
    link: dict[str, int]
    faults: int


def session(line: SimulatedLine, job: LinkJob) -> UartOutcome:
    """Move words, run and abort; then disturb the line in other ways and move some more."""
    rng = np.random.default_rng(job.seed + 1)
    wrong = 0
    with Host(SerialCarrier(line), job.config, timeout_s=100e-6, retries=20) as chip:
        for count in (1, 12, 24, 12, 24):
            words = rng.integers(-(1 << 31), 1 << 31, count)
            # Bytes that the framing escapes, back to back.
            words[0] = 0x7E7D7E7D
            chip.write(Space.VECTOR, 3, words)
            wrong += int((chip.read(Space.VECTOR, 3, count) != words % (1 << 32)).sum())
        for _ in range(3):
            chip.start(5)
            wrong += not chip.status().running
            chip.abort()
        if job.disturbed:
            line.hold_low(30)
            line.write(bytes([0x00, 0x55]))
            line.hold_low(4)
            chip.write(Space.VECTOR, 0, [1, 2, 3])
            wrong += int((chip.read(Space.VECTOR, 0, 3) != [1, 2, 3]).sum())
        return UartOutcome(
            wrong, list(chip.counters().values())[:3], chip.status().link, line.faults
        )


@testbench
async def talk(dut: Any, job: LinkJob, _: Path) -> UartOutcome:
    """Run a session over the serial line."""
    return await bridge(session)(await connect(dut, job), job)
