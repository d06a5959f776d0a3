"""Test AXI carriers: packets over AXI4-Stream, registers over AXI4-Lite, masters that pause."""

from pathlib import Path
from typing import Any

import numpy as np
from cocotb.task import bridge

from ohmulator.host.host import Host
from sim.testbench import testbench
from spec.config import ChipConfig
from spec.isa import ErrorCode, Space
from spec.packet import IDENTITY, LINK_COUNTERS, STATE, Packet, identity, packet, unpack
from spec.registers import COUNTER_BASE, FIXED_REGISTERS, address
from tests.support.axi_masters import Registers, StreamCarrier, connect
from tests.support.link_job import LinkJob
from tests.support.memory_device import LARGE


def check(carrier: StreamCarrier, registers: Registers, config: ChipConfig) -> None:
    """Move words, run and abort, and compare registers with replies."""
    rng = np.random.default_rng(0)
    assert registers.read(0, len(IDENTITY)) == identity(config)
    with Host(carrier, config, timeout_s=1e-3) as chip:
        for count in (1, 7, 300):
            words = rng.integers(0, 1 << 32, count)
            chip.write(Space.VECTOR, 4, words)
            np.testing.assert_array_equal(chip.read(Space.VECTOR, 4, count), words)

        control = address("control")
        assert unpack(STATE, registers.read(control)[0]) == {"running": 0, "code": 0}
        chip.start(9)
        assert registers.read(control) == [1]
        assert registers.read(address("position")) == [9]
        # Aborts only by a whole word with the bit set.
        assert registers.write(control, bytes(4))
        assert not registers.write(control, b"\1")
        assert registers.read(control) == [1]
        assert registers.write(control, bytes([1, 0, 0, 0]))
        status = chip.status()
        assert (status.running, status.code) == (False, ErrorCode.ABORTED)
        assert unpack(STATE, registers.read(control)[0])["code"] == ErrorCode.ABORTED

        link = registers.read(address("packets"), len(LINK_COUNTERS))
        assert link == [*status.link.values()]
        counters = chip.counters()
        values = registers.read(COUNTER_BASE, 2 * len(counters))
        assert values == [half for n in counters.values() for half in (n & 0xFFFFFFFF, n >> 32)]
        assert [*counters.values()][:4] == [1, 1, 308, LARGE]

        # What is not there is an error, and changes nothing.
        end = COUNTER_BASE + 8 * len(counters)
        for at in (4 * len(FIXED_REGISTERS), COUNTER_BASE - 4, end):
            assert registers.read(at) == []
            assert not registers.write(at, bytes(4))
        assert not registers.write(address("magic"), bytes(4))
        assert registers.read(0, len(IDENTITY)) == identity(config)

    # A packet cut short, and the next one.
    carrier.send(packet(Packet.WRITE, 1, [0, 0, 1])[:-1])
    assert carrier.receive(1e-3).words == packet(0xFF, 1, code=ErrorCode.LENGTH)
    carrier.send(packet(Packet.ABORT, 2))
    assert carrier.receive(1e-3).words == packet(Packet.ABORT | 0x80, 2)


@testbench
async def talk(dut: Any, job: LinkJob, _: Path) -> str:
    """Check the carriers in front of a memory."""
    carrier, registers = await connect(dut, job)
    await bridge(check)(carrier, registers, job.config)
    return "passed"
