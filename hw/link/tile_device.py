"""A tile alone behind a responder: memories of its spaces, and its operations.

One memory holds all spaces. An operation fetches its words one by one, checks them, hands them to
the tile, and writes what comes back.
"""

import itertools

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import fits, pick
from hw.common.direction import by_direction
from hw.common.memory import TwoPortMemory
from hw.common.streams import StreamRegister
from hw.converter.dac import VectorLayout
from hw.link.interfaces import MemoryPort, StateLayout
from hw.tile.shift_add import ResultsLayout
from hw.tile.write_verify import OutcomeLayout, TargetLayout
from spec.config import ChipConfig
from spec.isa import WORD_BITS, ErrorCode
from spec.tile_link import (
    OUTCOME,
    PRODUCT_OPERATIONS,
    TARGET,
    TileOperation,
    TileSpace,
    require_tile_link,
    tile_operations,
    tile_words,
    word_limits,
)


class TileDevice(wiring.Component):
    """Execute operations on a tile, see `golden.link.tile_device.TileDevice`.

    Raises
    ------
    UserError
        If results are wider than a word, or no cell can be verified.

    Members
    -------
    memory : In, `MemoryPort`
    run : In, 1
    pc : In, 32
    state : Out, `StateLayout`
    position : Out, 32
        As in `hw.link.interfaces.ControlPort`.
    vectors : Out, stream of `VectorLayout`
    results : In, stream of `ResultsLayout`
    targets : Out, stream of `TargetLayout`
    outcomes : In, stream of `OutcomeLayout`
        As in `hw.tile.tile.Tile`.
    """

    def __init__(self, config: ChipConfig):
        require_tile_link(config)
        self.config = config
        sizes = tile_words(config)
        starts = itertools.accumulate(sizes.values(), initial=0)
        self.starts = dict(zip(sizes, starts, strict=False))
        self.depth = sum(sizes.values())
        super().__init__(
            {
                "memory": In(MemoryPort()),
                "run": In(1),
                "pc": In(WORD_BITS),
                "state": Out(StateLayout),
                "position": Out(WORD_BITS),
                "vectors": Out(stream.Signature(VectorLayout(config))),
                "results": In(stream.Signature(ResultsLayout(config))),
                "targets": Out(stream.Signature(TargetLayout(config))),
                "outcomes": In(stream.Signature(OutcomeLayout(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = TwoPortMemory(WORD_BITS, self.depth)
        self._access(m, words)

        starts = self.starts
        operation = self.position[: Shape.cast(TileOperation).width]
        product = Signal()
        m.d.comb += [
            product.eq(operation.matches(*PRODUCT_OPERATIONS)),
            self.vectors.payload.transposed.eq(operation == TileOperation.PRODUCT_T),
            self.targets.payload.reads.eq(operation == TileOperation.READ),
        ]
        # Word that is fetched or stored; past its end where an ADC has no output.
        place = Signal(range(self.depth + self._overhang()))
        unfit = Signal()
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.run):
                    m.d.sync += [
                        self.state.running.eq(1),
                        self.state.code.eq(ErrorCode.NONE),
                        self.position.eq(self.pc),
                    ]
                    m.next = "DECODE"
            with m.State("DECODE"):
                m.d.sync += [
                    place.eq(Mux(product, starts[TileSpace.INPUT], starts[TileSpace.TARGET])),
                    unfit.eq(0),
                ]
                m.next = "FETCH"
                with m.If(~self.position.matches(*tile_operations(self.config))):
                    self._end(m, ErrorCode.ILLEGAL)
            with m.State("FETCH"):
                m.d.comb += [words.read_en.eq(1), words.read_address.eq(place)]
                m.next = "KEEP"
            with m.State("KEEP"):
                fit = self._keep(m, place, words.read_data)
                end = Mux(product, starts[TileSpace.TARGET], starts[TileSpace.RESULT])
                m.d.sync += [unfit.eq(unfit | ~fit), place.eq(place + 1)]
                m.next = "FETCH"
                with m.If(place == end - 1):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += [
                    self.vectors.valid.eq(product & ~unfit),
                    self.targets.valid.eq(~product & ~unfit),
                ]
                m.d.sync += place.eq(
                    Mux(product, starts[TileSpace.RESULT], starts[TileSpace.OUTCOME])
                )
                with m.If(unfit):
                    self._end(m, ErrorCode.OPERAND)
                with m.Elif(self.vectors.valid & self.vectors.ready):
                    m.next = "PRODUCT"
                with m.Elif(self.targets.valid & self.targets.ready):
                    m.next = "CELL"
            with m.State("PRODUCT"):
                self._store_results(m, words, place)
            with m.State("CELL"):
                self._store_outcome(m, words, place)
        return m

    def _overhang(self) -> int:
        """Return how far the results of all ADCs may reach behind those that there are."""
        adcs = self.config.converter.adcs
        return max(each.groups * (adcs + 1) - each.outputs for each in self.config.directions)

    def _access(self, m: Module, words: TwoPortMemory) -> None:
        """Let the host read and write; it does while no operation runs."""
        write, read = self.memory.write, self.memory.read
        # A word stays at the memory until the next one is read.
        m.submodules.register = register = StreamRegister(0)
        m.d.comb += [
            write.ready.eq(1),
            words.write_en.eq(write.valid),
            words.write_address.eq(self._start_of(write.payload.space) + write.payload.address),
            words.write_data.eq(write.payload.data),
            register.i.valid.eq(read.valid),
            read.ready.eq(register.i.ready),
            words.read_en.eq(read.valid & read.ready),
            words.read_address.eq(self._start_of(read.payload.space) + read.payload.address),
            self.memory.data.valid.eq(register.o.valid),
            register.o.ready.eq(self.memory.data.ready),
            self.memory.data.payload.eq(words.read_data),
        ]

    def _start_of(self, space: Value) -> Value:
        """Return where a space begins in the memory."""
        return pick([Const(start, range(self.depth)) for start in self.starts.values()], space)

    def _end(self, m: Module, code: ErrorCode) -> None:
        """End the operation."""
        m.d.sync += [self.state.running.eq(0), self.state.code.eq(code)]
        m.next = "IDLE"

    def _keep(self, m: Module, place: Value, word: Value) -> Value:
        """Keep a word for the tile; return whether it is within its limits."""
        config, starts = self.config, self.starts
        vector, target = self.vectors.payload, self.targets.payload
        bits = config.converter.input_bits
        inputs = by_direction(config, vector.transposed, lambda direction: direction.inputs)
        fit = Signal(init=1)
        # Inputs and ADC steps shift in from the top, and the first is at the bottom in the end.
        with m.If(place < starts[TileSpace.STEP]):
            m.d.comb += fit.eq(fits(word.as_signed(), signed(bits)) | (place >= inputs))
            m.d.sync += vector.x.as_value().eq(Cat(vector.x.as_value()[bits:], word[:bits]))
        with m.Elif(place < starts[TileSpace.TARGET]):
            bits = config.step_bits
            m.d.comb += fit.eq(fits(word, unsigned(bits)))
            m.d.sync += vector.step.as_value().eq(Cat(vector.step.as_value()[bits:], word[:bits]))
        limits = word_limits(config)[TileSpace.TARGET]
        with m.Switch(place):
            for i, (name, limit) in enumerate(zip(TARGET, limits, strict=True)):
                kept = target.level if name == "level" else target.cell[name]
                with m.Case(starts[TileSpace.TARGET] + i):
                    m.d.comb += fit.eq(word <= limit.high)
                    m.d.sync += kept.eq(word)
        return fit

    def _store_results(self, m: Module, words: TwoPortMemory, place: Signal) -> None:
        """Store the results of a product: those of the ADCs one after the other, in each group."""
        config = self.config
        start = self.starts[TileSpace.RESULT]
        transposed = self.vectors.payload.transposed
        groups = by_direction(config, transposed, lambda direction: direction.groups)
        outputs = by_direction(config, transposed, lambda direction: direction.outputs)
        results = self.results.payload
        adc = Signal(range(config.converter.adcs))
        last_adc = adc == config.converter.adcs - 1
        m.d.comb += [
            words.write_en.eq(self.results.valid & (place < start + outputs)),
            words.write_address.eq(place),
            words.write_data.eq(pick(list(results.sums), adc)),
            self.results.ready.eq(last_adc),
        ]
        with m.If(self.results.valid):
            m.d.sync += [adc.eq(adc + 1), place.eq(place + groups)]
            with m.If(last_adc):
                m.d.sync += [adc.eq(0), place.eq(start + results.group + 1)]
                with m.If(results.group == groups - 1):
                    self._end(m, ErrorCode.NONE)

    def _store_outcome(self, m: Module, words: TwoPortMemory, place: Signal) -> None:
        """Store the outcome of a cell word by word."""
        outcome = self.outcomes.payload
        values = [outcome[name] for name in OUTCOME]
        at = (place - self.starts[TileSpace.OUTCOME])[: (len(values) - 1).bit_length()]
        last = at == len(values) - 1
        m.d.comb += [
            words.write_en.eq(self.outcomes.valid),
            words.write_address.eq(place),
            words.write_data.eq(pick(values, at)),
            self.outcomes.ready.eq(last),
        ]
        with m.If(self.outcomes.valid):
            m.d.sync += place.eq(place + 1)
            with m.If(last):
                self._end(m, ErrorCode.NONE)
