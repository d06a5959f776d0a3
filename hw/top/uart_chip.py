"""Top level of the chip on a serial line."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.link.uart import Pins, UartCarrier
from hw.top.chip import Chip
from spec.config import ChipConfig
from spec.framing import BAUD


class UartChip(wiring.Component):
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
        self.config = config
        self.carrier = UartCarrier(config.machine.clock_hz, BAUD)
        super().__init__(
            {
                "pins": Out(Pins()),
                "analog": Out(AnalogPort(config)).array(config.machine.tiles),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.chip = chip = Chip(self.config)
        m.submodules.carrier = carrier = self.carrier
        connect(m, carrier.commands, chip.commands)
        connect(m, chip.replies, carrier.replies)
        connect(m, carrier.pins, flipped(self.pins))
        for inner, outer in zip(chip.analog, self.analog, strict=True):
            connect(m, inner, flipped(outer))
        m.d.comb += [carrier.hold.eq(chip.hold_line), chip.line.eq(carrier.counters)]
        return m
