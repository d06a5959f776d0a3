"""Accesses of the host to the memories of the chip."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.streams import StreamRegister
from hw.common.word_port import WordPort
from hw.link.interfaces import MemoryPort
from hw.machine.vector_memory import ReadPort, WritePort
from spec.config import ChipConfig
from spec.isa import HOLDING_FIELDS, Space


class HostAccess(wiring.Component):
    """Spread the accesses of the host over the spaces; a word a cycle.

    Members
    -------
    memory : In, `MemoryPort`
    read : Out, `ReadPort`
    write : Out, `WritePort`
        Access to the space VECTOR.
    program, scalar, weight, descriptor, holding : Out, `WordPort`
        Access to the other spaces.
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
        m = Module()
        memory = self.memory
        # A word stays at its port until the next one is read; the register keeps where.
        m.submodules.register = register = StreamRegister(Space)
        reading = Signal()
        m.d.comb += [
            memory.write.ready.eq(1),
            register.i.valid.eq(memory.read.valid),
            register.i.payload.eq(memory.read.payload.space),
            memory.read.ready.eq(register.i.ready),
            reading.eq(memory.read.valid & memory.read.ready),
            memory.data.valid.eq(register.o.valid),
            register.o.ready.eq(memory.data.ready),
        ]
        with m.Switch(register.o.payload):
            with m.Case(Space.VECTOR):
                m.d.comb += memory.data.payload.eq(self.read.data[0])
            for space in self.spaces:
                with m.Case(space):
                    m.d.comb += memory.data.payload.eq(self.port(space).value)
        self._access_vectors(m, reading)
        self._access_words(m, reading)
        self._probe(m)
        return m

    def _access_vectors(self, m: Module, reading: Value) -> None:
        """Read and write the vector memory."""
        store, load = self.memory.write, self.memory.read
        m.d.comb += [
            self.read.en.eq(reading & (load.payload.space == Space.VECTOR)),
            self.read.address.eq(load.payload.address),
            self.write.en.eq(store.valid & (store.payload.space == Space.VECTOR)),
            self.write.address.eq(store.payload.address),
            self.write.mask.eq(1),
            self.write.data[0].eq(store.payload.data),
        ]

    def _access_words(self, m: Module, reading: Value) -> None:
        """Read and write the other spaces."""
        store, load = self.memory.write, self.memory.read
        for space in self.spaces:
            port = self.port(space)
            m.d.comb += [
                port.write.eq(store.valid & (store.payload.space == space)),
                port.read.eq(reading & (load.payload.space == space)),
                port.data.eq(store.payload.data),
                port.address.eq(store.payload.address),
            ]
            with m.If(reading):
                m.d.comb += port.address.eq(load.payload.address)

    def _probe(self, m: Module) -> None:
        """Tell whether a space cannot hold a word."""
        probe = self.memory.probe
        low, high = self.config.weight_range
        weight = probe.data.as_signed()
        matrix = [field.name for field in HOLDING_FIELDS].index("matrix")
        with m.Switch(probe.space):
            with m.Case(Space.WEIGHT):
                m.d.comb += self.memory.unfit.eq((weight < low) | (weight > high))
            with m.Case(Space.HOLDING):
                m.d.comb += self.memory.unfit.eq(
                    (probe.address[0] == matrix) & (probe.data > self.config.machine.matrices)
                )
