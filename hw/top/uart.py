"""Top levels on a serial line: the chip, and a tile alone."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped

from hw.link.uart import Pins, UartCarrier
from hw.top.chip import Chip
from hw.top.linked_tile import LinkedTile
from spec.config import ChipConfig
from spec.framing import BAUD


class _OnSerialLine(wiring.Component):
    """Put a device on a serial line."""

    def __init__(self, device: Chip | LinkedTile):
        self.device = device
        self.carrier = UartCarrier(device.config.machine.clock_hz, BAUD)
        super().__init__({"pins": Out(Pins()), "analog": device.signature.members["analog"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.device = device = self.device
        m.submodules.carrier = carrier = self.carrier
        connect(m, carrier.commands, device.commands)
        connect(m, device.replies, carrier.replies)
        connect(m, carrier.pins, flipped(self.pins))
        for inner, outer in zip(device.analog, self.analog, strict=True):
            connect(m, inner, flipped(outer))
        m.d.comb += [carrier.hold.eq(device.hold_line), device.line.eq(carrier.counters)]
        return m


class UartChip(_OnSerialLine):
    """The chip on a serial line of `BAUD`.

    Raises
    ------
    UserError
        If the clock is too slow for it, or does not divide to it within 2 %.

    Members
    -------
    pins : Out, `Pins`
    analog : Out, `tiles` x `AnalogPort`
    """

    def __init__(self, config: ChipConfig):
        super().__init__(Chip(config))


class UartTile(_OnSerialLine):
    """A tile on a serial line of `BAUD`, see `spec.tile_link`.

    Raises
    ------
    UserError
        As `UartChip` and `hw.link.tile_device.TileDevice`.

    Members
    -------
    pins : Out, `Pins`
    analog : Out, 1 x `AnalogPort`
    """

    def __init__(self, config: ChipConfig):
        super().__init__(LinkedTile(config))
