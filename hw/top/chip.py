"""The chip: sequencer, vector unit, tiles and vector memory, and the host's way to all of them.

    packets -> Responder -> HostAccess -> program, scalars, vector memory, weights, matrices
                   |                            |
                   +-> Sequencer -> VectorUnit, ProductUnit -> tiles

`AxiChip` and `UartChip` are the top levels; they differ in what carries the packets.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.boundary.macro import add_macro
from hw.common.counters import ChipCounters, TileCounters
from hw.common.word_port import WordPort
from hw.link.axi import AxiCarrier, AxiLite, AxiStream
from hw.link.axi_registers import AxiRegisters
from hw.link.interfaces import (
    CommandWord,
    ControlPort,
    LineCounters,
    LinkCounters,
    MemoryPort,
    ReplyWord,
)
from hw.link.responder import Responder
from hw.link.uart import Pins, UartCarrier
from hw.machine.product_unit import ProductUnit
from hw.machine.sequencer import Sequencer, TraceLayout
from hw.machine.vector_memory import ReadPort, VectorMemory, WritePort, share
from hw.machine.vector_unit import VectorUnit
from spec.config import ChipConfig
from spec.framing import BAUD
from spec.isa import HOLDING_FIELDS, Space
from spec.packet import identity, space_words


class CountersLayout(data.StructLayout):
    """Counters of the chip and of each tile, in the order of the protocol."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {"chip": ChipCounters, "tiles": data.ArrayLayout(TileCounters, config.machine.tiles)}
        )


class TracePort(wiring.Signature):
    """What the program does, for those who watch; nothing else depends on it.

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
            }
        )


class HostAccess(wiring.Component):
    """Spread the accesses of the host over the spaces; a word a cycle.

    Members
    -------
    memory : In, `MemoryPort`
    words : Out, dictionary of the spaces but VECTOR to `WordPort`
        As members named after the spaces in lower case.
    read, write : Out, `ReadPort` and `WritePort`
        The space VECTOR.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        self.spaces = [space for space in Space if space is not Space.VECTOR]
        super().__init__(
            {
                "memory": In(MemoryPort()),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
                **{space.name.lower(): Out(WordPort()) for space in self.spaces},
            }
        )

    def port(self, space: Space) -> wiring.PureInterface:
        """Return the `WordPort` of a space."""
        return getattr(self, space.name.lower())

    def elaborate(self, platform):
        config, memory = self.config, self.memory
        store, load = memory.write.payload, memory.read.payload
        m = Module()

        writing, reading = memory.write.valid, Signal()
        m.d.comb += [
            memory.write.ready.eq(1),
            # A word stays at its port until the next one is read.
            memory.read.ready.eq(~memory.data.valid | memory.data.ready),
            reading.eq(memory.read.valid & memory.read.ready),
        ]
        space = Signal(Space)
        with m.If(memory.data.ready):
            m.d.sync += memory.data.valid.eq(0)
        with m.If(reading):
            m.d.sync += [memory.data.valid.eq(1), space.eq(load.space)]

        m.d.comb += [
            self.read.en.eq(reading & (load.space == Space.VECTOR)),
            self.read.address.eq(load.address),
            self.write.en.eq(writing & (store.space == Space.VECTOR)),
            self.write.address.eq(store.address),
            self.write.mask.eq(1),
            self.write.data[0].eq(store.data),
        ]
        with m.Switch(space):
            with m.Case(Space.VECTOR):
                m.d.comb += memory.data.payload.eq(self.read.data[0])
            for each in self.spaces:
                with m.Case(each):
                    m.d.comb += memory.data.payload.eq(self.port(each).value)
        for each in self.spaces:
            port = self.port(each)
            m.d.comb += [
                port.write.eq(writing & (store.space == each)),
                port.read.eq(reading & (load.space == each)),
                port.data.eq(store.data),
                port.address.eq(store.address),
            ]
            with m.If(reading):
                m.d.comb += port.address.eq(load.address)

        probe = memory.probe
        low, high = config.weight_range
        weight = probe.data.as_signed()
        matrix = [field.name for field in HOLDING_FIELDS].index("matrix")
        with m.Switch(probe.space):
            with m.Case(Space.WEIGHT):
                m.d.comb += memory.unfit.eq((weight < low) | (weight > high))
            with m.Case(Space.HOLDING):
                m.d.comb += memory.unfit.eq(
                    (probe.address[0] == matrix) & (probe.data > config.machine.matrices)
                )
        return m


class Chip(wiring.Component):
    """The chip without what carries the packets.

    Members
    -------
    commands : In, stream of `CommandWord`
    replies : Out, stream of `ReplyWord`
    line : In, `LineCounters`
        Of what carries the packets.
    link : Out, `LinkCounters`
    control : In, `ControlPort`
        To watch the chip besides the packets; of the inputs only `abort` counts.
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
        m.d.comb += [responder.line.eq(self.line), self.link.eq(responder.link)]
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

        counters = self.trace.counters
        m.d.comb += [
            counters.chip.as_value().eq(sequencer.control.counters.as_value()),
            *(counters.tiles[t].eq(tile.counters) for t, tile in enumerate(product_unit.tiles)),
            sequencer.control.run.eq(responder.control.run),
            sequencer.control.pc.eq(responder.control.pc),
            sequencer.control.abort.eq(responder.control.abort | self.control.abort),
        ]
        for watcher in (responder.control, self.control):
            m.d.comb += [
                watcher.state.eq(sequencer.control.state),
                watcher.position.eq(sequencer.control.position),
                watcher.counters.as_value().eq(counters.as_value()),
            ]
        m.d.comb += [
            self.trace.instruction.eq(sequencer.trace),
            self.trace.finished.eq(sequencer.trace.finished),
            self.trace.write.en.eq(memory.write.en),
            self.trace.write.address.eq(memory.write.address),
            self.trace.write.mask.eq(memory.write.mask),
            self.trace.write.data.eq(memory.write.data),
        ]
        return m


class AxiChip(wiring.Component):
    """The chip on AXI: packets on AXI4-Stream, registers to look at it on AXI4-Lite.

    Parameters
    ----------
    traced
        Whether what the program does can be watched at the pins.
    blackbox
        Whether the arrays are black boxes inside, see `hw.boundary.macro`, instead of pins.

    Members
    -------
    s_axil : In, `AxiLite`
        Registers, see `spec.registers`.
    s_axis : In, `AxiStream`
        Commands.
    m_axis : Out, `AxiStream`
        Replies.
    analog : Out, `tiles` x `AnalogPort`
        Unless they are black boxes.
    trace : Out, `TracePort`
        If traced.
    """

    def __init__(self, config: ChipConfig, *, traced: bool = False, blackbox: bool = False):
        self.config, self.traced, self.blackbox = config, traced, blackbox
        self.registers = AxiRegisters(identity(config), config.machine.counters)
        super().__init__(
            {
                "s_axil": In(AxiLite(len(self.registers.s_axil.awaddr))),
                "s_axis": In(AxiStream()),
                "m_axis": Out(AxiStream()),
                **(
                    {}
                    if blackbox
                    else {"analog": Out(AnalogPort(config)).array(config.machine.tiles)}
                ),
                **({"trace": Out(TracePort(config))} if traced else {}),
            }
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
            _connect_analog(m, chip, self)
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
        _connect_analog(m, chip, self)
        m.d.comb += chip.line.eq(carrier.counters)
        return m


def _connect_analog(m: Module, chip: Chip, top: wiring.Component) -> None:
    for inner, outer in zip(chip.analog, top.analog, strict=True):
        connect(m, inner, flipped(outer))
