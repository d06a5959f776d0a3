"""Top levels for simulation: the device of `tests.support.memory_device` behind each carrier."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.link.axi import AxiCarrier, AxiLite, AxiStream
from hw.link.axi_registers import AxiRegisters
from hw.link.responder import Responder
from hw.link.serial_line import MIN_DIVISOR
from hw.link.uart import Pins, UartCarrier
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS
from spec.packet import identity
from tests.support.memory_device import SIZES, MemoryDevice

DIVISOR = MIN_DIVISOR
"""Cycles of a bit on the serial line: the hardest to keep, and the quickest to simulate."""


def counters(config: ChipConfig) -> int:
    """Return the number of counters of a chip."""
    return len(CHIP_COUNTERS) + config.machine.tiles * len(config.machine.tile_counters)


def add_device(m: Module, config: ChipConfig) -> tuple[Responder, MemoryDevice]:
    """Add a responder and its device, but do not connect the abort of the two."""
    m.submodules.responder = responder = Responder(SIZES, identity(config), counters(config))
    m.submodules.device = device = MemoryDevice(counters(config))
    connect(m, responder.memory, device.memory)
    m.d.comb += [
        device.control.run.eq(responder.control.run),
        device.control.pc.eq(responder.control.pc),
        responder.control.state.eq(device.control.state),
        responder.control.position.eq(device.control.position),
        responder.control.counters.eq(device.control.counters),
    ]
    return responder, device


class UartDevice(wiring.Component):
    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__({"pins": Out(Pins())})

    def elaborate(self, platform):
        m = Module()
        responder, device = add_device(m, self.config)
        clock = self.config.machine.clock_hz
        m.submodules.carrier = carrier = UartCarrier(clock, clock / DIVISOR)
        connect(m, carrier.commands, responder.commands)
        connect(m, responder.replies, carrier.replies)
        connect(m, carrier.pins, flipped(self.pins))
        m.d.comb += [
            carrier.hold.eq(responder.hold_line),
            responder.line.eq(carrier.counters),
            device.control.abort.eq(responder.control.abort),
        ]
        return m


class AxiDevice(wiring.Component):
    def __init__(self, config: ChipConfig):
        self.config = config
        self.registers = AxiRegisters(identity(config), counters(config))
        super().__init__(
            {
                "s_axil": In(AxiLite(len(self.registers.s_axil.awaddr))),
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        responder, device = add_device(m, self.config)
        m.submodules.carrier = carrier = AxiCarrier()
        m.submodules.registers = registers = self.registers
        connect(m, flipped(self.s_axil), registers.s_axil)
        connect(m, flipped(self.s_axis), carrier.s_axis)
        connect(m, carrier.m_axis, flipped(self.m_axis))
        connect(m, carrier.commands, responder.commands)
        connect(m, responder.replies, carrier.replies)
        m.d.comb += [
            registers.state.eq(device.control.state),
            registers.position.eq(device.control.position),
            registers.counters.eq(device.control.counters),
            registers.link.eq(responder.link),
            device.control.abort.eq(responder.control.abort | registers.abort),
        ]
        return m
