"""Top level of the chip on AXI."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.boundary.macro import add_macro
from hw.link.axi import AxiCarrier, AxiLite, AxiStream
from hw.link.axi_registers import AxiRegisters
from hw.top.chip import Chip
from hw.top.trace import TracePort
from spec.config import ChipConfig
from spec.packet import identity


class AxiChip(wiring.Component):
    """The chip on AXI: packets on AXI4-Stream, registers to look at it on AXI4-Lite.

    Parameters
    ----------
    traced
        Show at the pins what the program does.
    blackbox
        Put black boxes inside for the arrays, see `hw.boundary.macro`, instead of pins.

    Members
    -------
    s_axil : In, `AxiLite`
        Registers, see `spec.registers`.
    s_axis : In, `AxiStream`
        Commands.
    m_axis : Out, `AxiStream`
        Replies.
    analog : Out, `tiles` x `AnalogPort`
        Absent if the arrays are black boxes.
    trace : Out, `TracePort`
        Absent unless `traced`.
    """

    def __init__(self, config: ChipConfig, *, traced: bool = False, blackbox: bool = False):
        self.config, self.traced, self.blackbox = config, traced, blackbox
        self.registers = AxiRegisters(identity(config), config.machine.counters)
        analog = Out(AnalogPort(config)).array(config.machine.tiles)
        super().__init__(
            {
                "s_axil": In(AxiLite(len(self.registers.s_axil.awaddr))),
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
            }
            | ({} if blackbox else {"analog": analog})
            | ({"trace": Out(TracePort(config))} if traced else {})
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.chip = chip = Chip(self.config)
        m.submodules.carrier = carrier = AxiCarrier()
        m.submodules.registers = registers = self.registers
        connect(m, flipped(self.s_axil), registers.s_axil)
        connect(m, flipped(self.s_axis), carrier.s_axis)
        connect(m, carrier.m_axis, flipped(self.m_axis))
        connect(m, carrier.commands, chip.commands)
        connect(m, chip.replies, carrier.replies)
        if self.blackbox:
            for tile, port in enumerate(chip.analog):
                add_macro(m, self.config, tile, port)
        else:
            for inner, outer in zip(chip.analog, self.analog, strict=True):
                connect(m, inner, flipped(outer))
        m.d.comb += [
            registers.state.eq(chip.control.state),
            registers.position.eq(chip.control.position),
            registers.counters.eq(chip.control.counters),
            registers.link.eq(chip.link),
            chip.control.abort.eq(registers.abort),
        ]
        if self.traced:
            connect(m, chip.trace, flipped(self.trace))
        return m
