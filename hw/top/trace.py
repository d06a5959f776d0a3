"""Port through which a program is followed."""

from amaranth.lib import data
from amaranth.lib.wiring import Out

from hw.common.counters import ChipCounters, TileCounters
from hw.common.signature import ParameterSignature
from hw.machine.sequencer import TraceLayout
from hw.machine.vector_memory import WritePort
from spec.config import ChipConfig


class CountersLayout(data.StructLayout):
    """Counters of the chip and of each tile, in the order of the protocol."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "chip": ChipCounters,
                "tiles": data.ArrayLayout(TileCounters(config), config.machine.tiles),
            }
        )


class TracePort(ParameterSignature):
    """Show what the program does; nothing else depends on it.

    Members
    -------
    finished : Out, 1
        As in `instruction`.
    instruction : Out, `TraceLayout`
    write : Out, `WritePort`
        Writes to the vector memory.
    counters : Out, `CountersLayout`
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "finished": Out(1),
                "instruction": Out(TraceLayout),
                "write": Out(WritePort(config)),
                "counters": Out(CountersLayout(config)),
            },
            config=config,
        )
