"""The smallest device behind a responder, in Python and in RTL: memories that remember, a program
that runs until it is aborted, and counters of what reached it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In

from hw.link.interfaces import ControlPort, MemoryPort
from spec.isa import ErrorCode, MachineError, Space

SIZES = {
    Space.VECTOR: 512,
    Space.PROGRAM: 64,
    Space.SCALAR: 32,
    Space.WEIGHT: 300,
    Space.DESCRIPTOR: 16,
    Space.HOLDING: 8,
}
WEIGHT_RANGE = -7, 5
IDENTITY = [0x4F484D55, 1, 0x89ABCDEF, 0x01234567, 0xFFFFFFFF]
LARGE = 0x0123456789ABCDEF
BASES = {space: sum(list(SIZES.values())[:i]) for i, space in enumerate(SIZES)}


@dataclass
class State:
    running: bool = False
    code: ErrorCode = ErrorCode.NONE
    pc: int = 0


class GoldenDevice:
    """The model of `MemoryDevice`, in Python."""

    def __init__(self, counters: int) -> None:
        self._counters = counters
        self.memory = {space: [0] * size for space, size in SIZES.items()}
        self.status = State()
        self.runs = self.aborts = self.written = 0

    def read(self, space: Space, address: int, count: int) -> Sequence[int]:
        self._require(not self.status.running, ErrorCode.BUSY)
        self._require(address + count <= SIZES[space], ErrorCode.RANGE)
        return self.memory[space][address : address + count]

    def write(self, space: Space, address: int, words: Sequence[int]) -> None:
        self._require(not self.status.running, ErrorCode.BUSY)
        self._require(address + len(words) <= SIZES[space], ErrorCode.RANGE)
        if space is Space.WEIGHT:
            low, high = WEIGHT_RANGE
            numbers = [(word ^ 0x80000000) - 0x80000000 for word in words]
            self._require(all(low <= number <= high for number in numbers), ErrorCode.VALUE)
        self.memory[space][address : address + len(words)] = words
        self.written += len(words)

    def start(self, pc: int) -> None:
        self._require(not self.status.running, ErrorCode.BUSY)
        self.status = State(True, ErrorCode.NONE, pc)
        self.runs += 1

    def abort(self) -> None:
        if self.status.running:
            self.status = State(False, ErrorCode.ABORTED, self.status.pc)
        self.aborts += 1

    def counters(self) -> Sequence[int]:
        return [self.runs, self.aborts, self.written] + [LARGE] * (self._counters - 3)

    def _require(self, condition: bool, code: ErrorCode) -> None:
        if not condition:
            raise MachineError(code)


class MemoryDevice(wiring.Component):
    """Memories in RTL, any number of counters; reads take two cycles, each third write waits."""

    def __init__(self, counters: int):
        super().__init__({"memory": In(MemoryPort()), "control": In(ControlPort(counters))})

    def elaborate(self, platform):
        m = Module()
        port, control = self.memory, self.control
        m.submodules.words = words = Memory(shape=32, depth=sum(SIZES.values()), init=[])
        store, load = words.write_port(), words.read_port()

        def place(access):
            base = Signal(16)
            with m.Switch(access.space):
                for space, start in BASES.items():
                    with m.Case(space):
                        m.d.comb += base.eq(start)
            return base + access.address

        low, high = WEIGHT_RANGE
        number = port.probe.data.as_signed()
        m.d.comb += port.unfit.eq(
            (port.probe.space == Space.WEIGHT) & ((number < low) | (number > high))
        )

        pause = Signal(range(3))
        m.d.sync += pause.eq(Mux(pause == 2, 0, pause + 1))
        m.d.comb += [
            port.write.ready.eq(pause != 0),
            store.addr.eq(place(port.write.payload)),
            store.data.eq(port.write.payload.data),
            store.en.eq(port.write.valid & port.write.ready),
        ]

        asked = Signal()
        free = ~port.data.valid | port.data.ready
        m.d.comb += [
            load.addr.eq(place(port.read.payload)),
            load.en.eq(port.read.valid & port.read.ready),
            port.read.ready.eq(~asked & free),
        ]
        m.d.sync += asked.eq(load.en)
        with m.If(port.data.ready):
            m.d.sync += port.data.valid.eq(0)
        with m.If(asked):
            m.d.sync += [port.data.valid.eq(1), port.data.payload.eq(load.data)]

        with m.If(control.run):
            m.d.sync += [control.state.running.eq(1), control.state.code.eq(ErrorCode.NONE)]
            m.d.sync += control.position.eq(control.pc)
        with m.If(control.abort & control.state.running):
            m.d.sync += [control.state.running.eq(0), control.state.code.eq(ErrorCode.ABORTED)]
        for counter, event in zip(
            control.counters, [control.run, control.abort, store.en], strict=False
        ):
            m.d.sync += counter.eq(counter + event)
        for i in range(3, len(control.counters)):
            m.d.comb += control.counters[i].eq(LARGE)
        return m
