"""Successive-approximation search for the ADCs of a tile, which convert in parallel.

The comparators are analogue and answer through the boundary. Doing the search here, and only the
comparison there, is what lets converter faults be modelled while the logic that ships is tested.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort, code_layout, step_layout
from hw.boundary.synchronizer import synchronized
from hw.common.direction import by_direction, has_output
from hw.common.streams import StreamRegister
from hw.converter.dac import PlaneLayout
from spec.config import ChipConfig


class CodesLayout(data.StructLayout):
    """Codes of one group of columns or, transposed, of word lines: an entry per ADC.

    `code`, `converters` x signed(adc_bits); `beyond`, `converters` bits: out of range, so that the
    code is clamped, never where the ADC has no output; `group`, unsigned(select_bits), within each
    ADC's share; `plane`, `PlaneLayout`, and `step`, `step_layout`, as sampled.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": code_layout(config),
                "beyond": config.converters,
                "group": config.select_bits,
                "plane": PlaneLayout(config),
                "step": step_layout(config),
            }
        )


class SarBank(wiring.Component):
    """Sample planes and convert their outputs, one group after the other.

    A conversion takes `conversion_cycles`, and the next follows without a gap. The transfer on
    `planes` is the sampling: it is accepted in the last cycle of the last conversion of the plane
    before, provided that its codes are sure to be taken, or while no conversion runs.

    Members
    -------
    planes : In, stream of `PlaneLayout`
    step : In, `step_layout`
        ADC steps of the plane that is offered.
    codes : Out, stream of `CodesLayout`
        In the order of conversion.
    busy : Out, 1
        A conversion is running.
    sample : Out, 1
    select : Out, unsigned(select_bits)
    trial : Out, `code_layout`
    above : In, `converters` bits
    convert : Out, 1
    found : In, `code_layout`
    beyond : In, `converters` bits
        As in `hw.boundary.analog.AnalogPort`, where some of them are absent as well.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        port = AnalogPort(config).members
        shared = ("sample", "select", "trial", "above", "convert", "found", "beyond")
        super().__init__(
            {
                "planes": In(stream.Signature(PlaneLayout(config))),
                "step": In(step_layout(config)),
                "codes": Out(stream.Signature(CodesLayout(config))),
                "busy": Out(1),
                **{name: port[name] for name in shared if name in port},
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        m.submodules.register = register = StreamRegister(CodesLayout(config))
        connect(m, register.o, flipped(self.codes))

        # One-hot number of the decisions that are still to come after the present one; zero: no
        # conversion runs.
        position = Signal(config.converter.decisions)
        top = 1 << (config.converter.decisions - 1)
        # Cycles until the answer to the present question is in.
        wait = Signal(range(config.decision_cycles))
        answered = wait == 0
        plane = Signal(PlaneLayout(config))
        step = Signal(step_layout(config))
        groups = by_direction(config, plane.transposed, lambda direction: direction.groups)
        last_group = (self.select == groups - 1) | plane.single
        converted = position[0] & answered
        done = Signal()
        m.d.comb += [
            register.i.valid.eq(converted),
            done.eq(converted & register.i.ready),
            self.busy.eq(position.any()),
            self.planes.ready.eq(self.sample),
        ]

        # The strobe is registered, so it is decided a cycle ahead: where the conversion will be at
        # its end, with room for the codes, or over.
        preparable = ~self.busy | (done & last_group)
        if config.conversion_cycles > 1:
            before = position[0] & (wait == 1) if config.decision_cycles > 1 else position[1]
            preparable |= before & last_group & register.i.ready
        m.d.sync += self.sample.eq(self.planes.valid & ~self.sample & preparable)

        decided = answered & ~position[0]
        with m.If(done):
            m.d.sync += [
                self.select.eq(Mux(last_group, 0, self.select + 1)),
                position.eq(Mux(last_group, 0, top)),
            ]
        with m.Elif(decided):
            m.d.sync += position.eq(position >> 1)
        with m.If(done | decided):
            m.d.sync += wait.eq(config.decision_cycles - 1)
        with m.Elif(~answered):
            m.d.sync += wait.eq(wait - 1)
        with m.If(self.sample):
            m.d.sync += [
                plane.eq(self.planes.payload),
                step.eq(self.step),
                self.select.eq(self.planes.payload.group),
                position.eq(top),
                wait.eq(config.decision_cycles - 1),
            ]
        stages = config.converter.comparator_sync
        beyond = synchronized(m, "beyond", self.beyond, stages)
        if config.converter.searching:
            above = synchronized(m, "above", self.above, stages)
            self._search(m, position, above, done, decided, register.i.payload)
        else:
            m.d.sync += self.convert.eq(self.sample | (done & ~last_group))
            m.d.comb += register.i.payload.code.eq(self.found)
        m.d.comb += [
            register.i.payload.beyond.eq(beyond & self._with_output(plane)),
            register.i.payload.group.eq(self.select),
            register.i.payload.plane.eq(plane),
            register.i.payload.step.eq(step),
        ]
        return m

    def _search(
        self,
        m: Module,
        position: Value,
        above: Value,
        done: Value,
        decided: Value,
        found: data.View,
    ) -> None:
        """Find the code of each ADC, from the top bit down."""
        # The search counts in offset binary, where a set bit always means "higher". What leaves
        # straight from the registers is two's complement, whose top bit is the other way round.
        top = 1 << (self.config.converter.adc_bits - 1)
        for i in range(self.config.converters):
            kept = Signal(len(position), name=f"kept_{i}")
            trial = self.trial[i]
            m.d.comb += [
                kept.eq((trial.as_unsigned() ^ top) & ~Mux(above[i], 0, position)),
                found.code[i].eq(kept ^ top),
            ]
            with m.If(done):
                m.d.sync += trial.eq(0)
            with m.Elif(decided):
                m.d.sync += trial.eq((kept | (position >> 1)) ^ top)

    def _with_output(self, plane: data.View) -> Value:
        """Return a bit for each ADC: it has an output in the group that is converted."""
        adcs = self.config.converter.adcs
        return Cat(
            has_output(self.config, i % adcs, plane.transposed, self.select)
            for i in range(self.config.converters)
        )
