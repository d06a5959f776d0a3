"""The chip: sequencer, vector unit, tiles and vector memory, and the host's access to all of them.

    packets -> Responder -> HostAccess -> program, scalars, vector memory, weights, matrices
                   |                            |
                   +-> Sequencer -> VectorUnit, ProductUnit -> tiles

`hw.top.axi_chip.AxiChip` and `hw.top.uart.UartChip` are the top levels; they differ in the
carrier of the packets.
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.link.interfaces import CommandWord, ControlPort, LineCounters, LinkCounters, ReplyWord
from hw.link.responder import Responder
from hw.machine.product_unit import ProductUnit
from hw.machine.sequencer import Sequencer
from hw.machine.vector_memory import VectorMemory, share
from hw.machine.vector_unit import VectorUnit
from hw.top.host_access import HostAccess
from hw.top.trace import TracePort
from spec.config import ChipConfig
from spec.isa import Space
from spec.packet import identity, space_words


class Chip(wiring.Component):
    """The chip without its carrier.

    Members
    -------
    commands : In, stream of `CommandWord`
    replies : Out, stream of `ReplyWord`
    hold_line : Out, 1
    line : In, `LineCounters`
        Counters of the carrier, as in `hw.link.responder.Responder`.
    link : Out, `LinkCounters`
    control : In, `ControlPort`
        Lets the chip be watched besides the packets; of its inputs only `abort` has an effect.
    analog : Out, `tiles` x `AnalogPort`
    trace : Out, `TracePort`
    """

    def __init__(self, config: ChipConfig):
        config.require_verifiable()
        self.config = config
        super().__init__(
            {
                "commands": In(stream.Signature(CommandWord)),
                "replies": Out(stream.Signature(ReplyWord)),
                "hold_line": Out(1),
                "line": In(LineCounters),
                "link": Out(LinkCounters),
                "control": In(ControlPort(config.machine.counters)),
                "analog": Out(AnalogPort(config)).array(config.machine.tiles),
                "trace": Out(TracePort(config)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        sizes = {space: space_words(config, space) for space in Space}
        m.submodules.responder = responder = Responder(
            sizes, identity(config), config.machine.counters
        )
        m.submodules.host = host = HostAccess(config)
        m.submodules.sequencer = sequencer = Sequencer(config)
        m.submodules.vector_unit = vector_unit = VectorUnit(config)
        m.submodules.product_unit = product_unit = ProductUnit(config)
        m.submodules.memory = memory = VectorMemory(config)

        connect(m, flipped(self.commands), responder.commands)
        connect(m, responder.replies, flipped(self.replies))
        connect(m, responder.memory, host.memory)
        m.d.comb += [
            self.hold_line.eq(responder.hold_line),
            responder.line.eq(self.line),
            self.link.eq(responder.link),
        ]
        for space, port in {
            Space.PROGRAM: sequencer.program,
            Space.SCALAR: sequencer.scalars,
            Space.WEIGHT: product_unit.weights,
            Space.DESCRIPTOR: product_unit.descriptors,
            Space.HOLDING: product_unit.holdings,
        }.items():
            connect(m, host.port(space), port)

        connect(m, sequencer.vector, vector_unit.port)
        connect(m, sequencer.product, product_unit.port)
        m.d.comb += [
            product_unit.aborting.eq(sequencer.aborting),
            product_unit.step.eq(sequencer.steps),
        ]
        share(m, memory, [host, sequencer, vector_unit, product_unit])
        for outer, tile in zip(self.analog, product_unit.tiles, strict=True):
            connect(m, tile.analog, flipped(outer))
            m.d.comb += tile.hold.eq(responder.control.hold)
        self._control(m, responder, sequencer)
        self._trace(m, sequencer, product_unit, memory)
        return m

    def _control(self, m: Module, responder: Responder, sequencer: Sequencer) -> None:
        """Start and stop programs, and let them be watched, from either side."""
        m.d.comb += [
            sequencer.control.run.eq(responder.control.run),
            sequencer.control.pc.eq(responder.control.pc),
            sequencer.control.abort.eq(responder.control.abort | self.control.abort),
            sequencer.control.hold.eq(responder.control.hold),
        ]
        for watcher in (responder.control, self.control):
            m.d.comb += [
                watcher.state.eq(sequencer.control.state),
                watcher.position.eq(sequencer.control.position),
                watcher.counters.as_value().eq(self.trace.counters.as_value()),
            ]

    def _trace(
        self, m: Module, sequencer: Sequencer, product_unit: ProductUnit, memory: VectorMemory
    ) -> None:
        """Show counters, instructions and writes to the vector memory."""
        trace = self.trace
        m.d.comb += [
            trace.counters.chip.as_value().eq(sequencer.control.counters.as_value()),
            *(
                counters.eq(tile.counters)
                for counters, tile in zip(trace.counters.tiles, product_unit.tiles, strict=True)
            ),
            trace.instruction.eq(sequencer.trace),
            trace.finished.eq(sequencer.trace.finished),
            trace.write.en.eq(memory.write.en),
            trace.write.address.eq(memory.write.address),
            trace.write.mask.eq(memory.write.mask),
            trace.write.data.eq(memory.write.data),
        ]
