"""Top level of a tile alone on AXI."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.link.axi import AxiCarrier, AxiStream
from hw.top.linked_tile import LinkedTile
from spec.config import ChipConfig


class AxiTile(wiring.Component):
    """A tile on AXI4-Stream, see `spec.tile_link`.

    Raises
    ------
    UserError
        As `hw.link.tile_device.TileDevice`.

    Members
    -------
    s_axis : In, `AxiStream`
        Commands.
    m_axis : Out, `AxiStream`
        Replies.
    analog : Out, 1 x `AnalogPort`
    """

    def __init__(self, config: ChipConfig):
        self.tile = LinkedTile(config)
        super().__init__(
            {
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
                "analog": Out(AnalogPort(config)).array(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.tile = tile = self.tile
        m.submodules.carrier = carrier = AxiCarrier()
        connect(m, flipped(self.s_axis), carrier.s_axis)
        connect(m, carrier.m_axis, flipped(self.m_axis))
        connect(m, carrier.commands, tile.commands)
        connect(m, tile.replies, carrier.replies)
        connect(m, tile.analog[0], flipped(self.analog[0]))
        return m
