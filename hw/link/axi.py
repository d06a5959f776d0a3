"""AXI: a register file on AXI4-Lite, and packets on AXI4-Stream.

Ports are named as the AXI specification names its signals, in lower case and after their prefix,
so that tools recognise the interfaces (`s_axil__awaddr`).
"""

from collections.abc import Sequence

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.interfaces import CommandWord, LinkCounters, ReplyWord, StateLayout
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS
from spec.packet import IDENTITY, LINK_COUNTERS
from spec.registers import CONTROL, COUNTER_BASE, FIXED_REGISTERS, REGISTER_BYTES, address

OKAY, SLVERR = 0b00, 0b10


class AxiLite(wiring.Signature):
    """AXI4-Lite with 32 data bits, seen from the master."""

    def __init__(self, address_bits: int):
        super().__init__(
            {
                "awaddr": Out(address_bits),
                "awprot": Out(3),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(WORD_BITS),
                "wstrb": Out(REGISTER_BYTES),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
                "araddr": Out(address_bits),
                "arprot": Out(3),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(WORD_BITS),
                "rresp": In(2),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )


class AxiStream(wiring.Signature):
    """AXI4-Stream of words, a packet to its last transfer, seen from the source."""

    def __init__(self) -> None:
        super().__init__(
            {
                "tdata": Out(WORD_BITS),
                "tlast": Out(1),
                "tvalid": Out(1),
                "tready": In(1),
            }
        )


class AxiRegisters(wiring.Component):
    """Registers of the chip, see `spec.registers`.

    One access of each direction at a time, three cycles each.

    Parameters
    ----------
    identity
        Reply to IDENTIFY.
    counters
        Performance counters of the device.

    Members
    -------
    s_axil : In, `AxiLite`
    state, position, counters : In
        As in `ControlPort`.
    link : In, `LinkCounters`
    abort : Out
        As in `ControlPort`, besides what the responder says.
    """

    def __init__(self, identity: Sequence[int], counters: int):
        self.identity = identity
        end = COUNTER_BASE + counters * COUNTER_BITS // 8
        super().__init__(
            {
                "s_axil": In(AxiLite((end - 1).bit_length())),
                "state": In(StateLayout),
                "position": In(WORD_BITS),
                "counters": In(data.ArrayLayout(COUNTER_BITS, counters)),
                "link": In(LinkCounters),
                "abort": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._read(m, self.s_axil)
        self._write(m, self.s_axil)
        return m

    def _read(self, m: Module, axi: wiring.PureInterface) -> None:
        values = {
            name: Const(word, WORD_BITS) for name, word in zip(IDENTITY, self.identity, strict=True)
        }
        values |= {"control": self.state.as_value(), "position": self.position}
        values |= {name: self.link[name] for name in LINK_COUNTERS}
        fixed = Array(values[name] for name in FIXED_REGISTERS)

        index = Signal(len(axi.araddr) - 2)
        asked = Signal()
        upper = Signal(COUNTER_BITS - WORD_BITS)
        number = index - COUNTER_BASE // REGISTER_BYTES
        counter = Array(self.counters)[number[1:].as_unsigned()]

        m.d.comb += axi.arready.eq(~asked & ~axi.rvalid)
        with m.If(axi.arvalid & axi.arready):
            m.d.sync += [asked.eq(1), index.eq(axi.araddr[2:])]
        with m.If(axi.rready):
            m.d.sync += axi.rvalid.eq(0)
        with m.If(asked):
            m.d.sync += [asked.eq(0), axi.rvalid.eq(1), axi.rresp.eq(OKAY)]
            with m.If(index < len(fixed)):
                m.d.sync += axi.rdata.eq(fixed[index])
            with m.Elif((number >= 0) & (number < 2 * len(self.counters))):
                m.d.sync += axi.rdata.eq(Mux(number[0], upper, counter))
                with m.If(~number[0]):
                    m.d.sync += upper.eq(counter[WORD_BITS:])
            with m.Else():
                m.d.sync += [axi.rdata.eq(0), axi.rresp.eq(SLVERR)]

    def _write(self, m: Module, axi: wiring.PureInterface) -> None:
        has_address, has_data = Signal(), Signal()
        at = Signal(len(axi.awaddr) - 2)
        value = Signal(data.StructLayout(CONTROL))
        whole = Signal()

        m.d.comb += [axi.awready.eq(~has_address), axi.wready.eq(~has_data)]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(axi.awvalid & axi.awready):
            m.d.sync += [has_address.eq(1), at.eq(axi.awaddr[2:])]
        with m.If(axi.wvalid & axi.wready):
            m.d.sync += [has_data.eq(1), value.eq(axi.wdata), whole.eq(axi.wstrb.all())]
        with m.If(has_address & has_data & (~axi.bvalid | axi.bready)):
            m.d.sync += [has_address.eq(0), has_data.eq(0), axi.bvalid.eq(1)]
            with m.If((at == address("control") // REGISTER_BYTES) & whole):
                m.d.sync += axi.bresp.eq(OKAY)
                m.d.comb += self.abort.eq(value.abort)
            with m.Else():
                m.d.sync += axi.bresp.eq(SLVERR)


class AxiCarrier(wiring.Component):
    """Carry packets over AXI4-Stream, which neither damages nor loses them.

    Members
    -------
    s_axis : In, `AxiStream`
        Commands.
    m_axis : Out, `AxiStream`
        Replies.
    commands : Out, stream of `CommandWord`
    replies : In, stream of `ReplyWord`
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
                "commands": Out(stream.Signature(CommandWord)),
                "replies": In(stream.Signature(ReplyWord)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.commands.valid.eq(self.s_axis.tvalid),
            self.commands.payload.data.eq(self.s_axis.tdata),
            self.commands.payload.last.eq(self.s_axis.tlast),
            self.s_axis.tready.eq(self.commands.ready),
            self.m_axis.tvalid.eq(self.replies.valid),
            self.m_axis.tdata.eq(self.replies.payload.data),
            self.m_axis.tlast.eq(self.replies.payload.last),
            self.replies.ready.eq(self.m_axis.tready),
        ]
        return m
