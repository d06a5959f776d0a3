"""A tile behind a responder: what a board holds that is too small for the machine.

`hw.top.axi_tile.AxiTile` and `hw.top.uart.UartTile` are the top levels.
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.link.interfaces import CommandWord, LineCounters, ReplyWord
from hw.link.responder import Responder
from hw.link.tile_device import TileDevice
from hw.tile.tile import Tile
from spec.config import ChipConfig
from spec.counters import TILE_COUNTERS
from spec.tile_link import tile_identity, tile_words


class LinkedTile(wiring.Component):
    """The tile without its carrier.

    Raises
    ------
    UserError
        As `hw.link.tile_device.TileDevice`.

    Members
    -------
    commands : In, stream of `CommandWord`
    replies : Out, stream of `ReplyWord`
    hold_line : Out, 1
    line : In, `LineCounters`
        Counters of the carrier, as in `hw.link.responder.Responder`.
    analog : Out, 1 x `AnalogPort`
        Of a chip with a single tile it would be the same.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        self.device = TileDevice(config)
        super().__init__(
            {
                "commands": In(stream.Signature(CommandWord)),
                "replies": Out(stream.Signature(ReplyWord)),
                "hold_line": Out(1),
                "line": In(LineCounters),
                "analog": Out(AnalogPort(config)).array(1),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        m.submodules.responder = responder = Responder(
            tile_words(config), tile_identity(config), len(TILE_COUNTERS)
        )
        m.submodules.device = device = self.device
        m.submodules.tile = tile = Tile(config)
        connect(m, flipped(self.commands), responder.commands)
        connect(m, responder.replies, flipped(self.replies))
        connect(m, responder.memory, device.memory)
        connect(m, device.vectors, tile.vectors)
        connect(m, tile.results, device.results)
        connect(m, device.targets, tile.targets)
        connect(m, tile.outcomes, device.outcomes)
        connect(m, tile.analog, flipped(self.analog[0]))
        control = responder.control
        m.d.comb += [
            self.hold_line.eq(responder.hold_line),
            responder.line.eq(self.line),
            device.run.eq(control.run),
            device.pc.eq(control.pc),
            control.state.eq(device.state),
            control.position.eq(device.position),
            tile.hold.eq(control.hold),
            control.counters.as_value().eq(tile.counters.as_value()),
        ]
        return m
