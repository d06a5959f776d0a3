"""Registers of the chip on AXI4-Lite, see `spec.registers`."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import pick
from hw.common.streams import StreamRegister
from hw.link.axi import AxiLite
from hw.link.interfaces import LinkCounters, StateLayout
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS
from spec.packet import IDENTITY, LINK_COUNTERS
from spec.registers import CONTROL, COUNTER_BASE, FIXED_REGISTERS, REGISTER_BYTES, address

OKAY, SLVERR = 0b00, 0b10


class AxiRegisters(wiring.Component):
    """Let a master read the registers, and abort.

    One access of each kind at a time, three cycles each.

    Parameters
    ----------
    identity, counters
        As for `hw.link.replier.Replier`.

    Members
    -------
    s_axil : In, `AxiLite`
    state : In, `StateLayout`
    position : In, 32
    counters : In, `counters` x 64
        As in `hw.link.interfaces.ControlPort`.
    link : In, `LinkCounters`
    abort : Out, 1
        As in `hw.link.interfaces.ControlPort`.
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
        """Answer reads: an address, a register, a reply."""
        m.submodules.reads = reply = StreamRegister(
            data.StructLayout({"data": WORD_BITS, "resp": 2})
        )
        aligned = Signal()
        index = Signal(len(axi.araddr) - 2)
        asked = Signal()
        m.d.comb += [
            axi.arready.eq(~asked & ~axi.rvalid),
            reply.i.valid.eq(asked),
            axi.rvalid.eq(reply.o.valid),
            axi.rdata.eq(reply.o.payload.data),
            axi.rresp.eq(reply.o.payload.resp),
            reply.o.ready.eq(axi.rready),
        ]
        m.d.sync += asked.eq(0)
        with m.If(axi.arvalid & axi.arready):
            m.d.sync += [asked.eq(1), index.eq(axi.araddr[2:]), aligned.eq(~axi.araddr[:2].any())]

        values = {
            name: Const(word, WORD_BITS) for name, word in zip(IDENTITY, self.identity, strict=True)
        }
        values |= {"control": self.state.as_value(), "position": self.position}
        values |= {name: self.link[name] for name in LINK_COUNTERS}
        fixed = [values[name] for name in FIXED_REGISTERS]
        number = index - COUNTER_BASE // REGISTER_BYTES
        counter = pick(list(self.counters), number[1:].as_unsigned())
        # High word of the counter whose low word was read last.
        upper = Signal(COUNTER_BITS - WORD_BITS)
        word = reply.i.payload
        with m.If(~aligned):
            m.d.comb += word.resp.eq(SLVERR)
        with m.Elif(index < len(fixed)):
            m.d.comb += word.data.eq(pick(fixed, index))
        with m.Elif((number >= 0) & (number < 2 * len(self.counters))):
            m.d.comb += word.data.eq(Mux(number[0], upper, counter))
            with m.If(asked & ~number[0]):
                m.d.sync += upper.eq(counter[WORD_BITS:])
        with m.Else():
            m.d.comb += word.resp.eq(SLVERR)

    def _write(self, m: Module, axi: wiring.PureInterface) -> None:
        """Answer writes: an address and a word, in any order, and a reply."""
        m.submodules.writes = reply = StreamRegister(2)
        has_address = Signal()
        has_data = Signal()
        place = Signal.like(axi.awaddr)
        value = Signal(data.StructLayout(CONTROL))
        whole = Signal()
        right = (place == address("control")) & whole
        executed = reply.i.valid & reply.i.ready
        m.d.comb += [
            axi.awready.eq(~has_address),
            axi.wready.eq(~has_data),
            reply.i.valid.eq(has_address & has_data),
            reply.i.payload.eq(Mux(right, OKAY, SLVERR)),
            self.abort.eq(executed & right & value.abort),
            axi.bvalid.eq(reply.o.valid),
            axi.bresp.eq(reply.o.payload),
            reply.o.ready.eq(axi.bready),
        ]
        with m.If(axi.awvalid & axi.awready):
            m.d.sync += [has_address.eq(1), place.eq(axi.awaddr)]
        with m.If(axi.wvalid & axi.wready):
            m.d.sync += [has_data.eq(1), value.eq(axi.wdata), whole.eq(axi.wstrb.all())]
        with m.If(executed):
            m.d.sync += [has_address.eq(0), has_data.eq(0)]
