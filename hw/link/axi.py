"""AXI: its signatures, and packets on AXI4-Stream.

Ports are named as the AXI specification names its signals, in lower case and after their prefix,
so that tools recognise the interfaces (`s_axil__awaddr`).
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.signature import ParameterSignature
from hw.link.interfaces import CommandWord, ReplyWord
from spec.isa import WORD_BITS
from spec.registers import REGISTER_BYTES


class AxiLite(ParameterSignature):
    """AXI4-Lite with 32 data bits, seen from the master.

    Parameters
    ----------
    address_bits
        Width of the addresses.

    Members
    -------
    awaddr, awprot, awvalid : Out, `address_bits`, 3 and 1
    awready : In, 1
        Address of a write.
    wdata, wstrb, wvalid : Out, 32, 4 and 1
    wready : In, 1
        Data of a write, with a bit for each byte.
    bresp, bvalid : In, 2 and 1
    bready : Out, 1
        Answer to a write.
    araddr, arprot, arvalid : Out, `address_bits`, 3 and 1
    arready : In, 1
        Address of a read.
    rdata, rresp, rvalid : In, 32, 2 and 1
    rready : Out, 1
        Answer to a read.
    """

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
            },
            address_bits=address_bits,
        )


class AxiStream(ParameterSignature):
    """AXI4-Stream of words, a packet to its last transfer, seen from the source.

    Members
    -------
    tdata : Out, 32
    tlast : Out, 1
    tvalid : Out, 1
    tready : In, 1
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "tdata": Out(WORD_BITS),
                "tlast": Out(1),
                "tvalid": Out(1),
                "tready": In(1),
            }
        )


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
