"""Successive-approximation search for the ADCs of a tile, which convert in parallel.

The comparators are analogue and answer through the boundary. Doing the search here, and only the
comparison there, is what lets converter faults be modelled while the logic that ships is tested.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import code_layout, step_layout
from hw.common.direction import by_direction, has_output
from hw.common.streams import StreamRegister
from hw.converter.dac import PlaneLayout
from spec.config import ChipConfig


class CodesLayout(data.StructLayout):
    """Codes of one group of columns or, transposed, of word lines: an entry per ADC.

    `code`, `converters` x signed(adc_bits); `beyond`, `converters` bits: out of range, so that the
    code is clamped, never where the ADC has no output; `group`, unsigned(select_bits), within each
    ADC's share; `plane`, `PlaneLayout`, as sampled.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": code_layout(config),
                "beyond": config.converters,
                "group": config.select_bits,
                "plane": PlaneLayout(config),
            }
        )


class SarBank(wiring.Component):
    """Sample planes and convert their outputs, one group after the other.

    A conversion takes `adc_bits` cycles, and the next follows without a gap. The transfer on
    `planes` is the sampling: it is accepted in the last cycle of the last conversion of the plane
    before, provided that its codes are sure to be taken, or while no search runs.

    Members
    -------
    planes : In, stream of `PlaneLayout`
    codes : Out, stream of `CodesLayout`
        In the order of conversion.
    busy : Out, 1
        A search is running.
    sample : Out, 1
    select : Out, unsigned(select_bits)
    step : Out, `step_layout`
    trial : Out, `code_layout`
    above : In, `converters` bits
    beyond : In, `converters` bits
        As in `hw.boundary.analog.AnalogPort`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "planes": In(stream.Signature(PlaneLayout(config))),
                "codes": Out(stream.Signature(CodesLayout(config))),
                "busy": Out(1),
                "sample": Out(1),
                "select": Out(config.select_bits),
                "step": Out(step_layout(config)),
                "trial": Out(code_layout(config)),
                "above": In(config.converters),
                "beyond": In(config.converters),
            }
        )

    def elaborate(self, platform):
        config = self.config
        bits = config.converter.adc_bits
        m = Module()
        m.submodules.register = register = StreamRegister(CodesLayout(config))
        connect(m, register.o, flipped(self.codes))

        # One-hot position of the bit under trial, counting down; zero: no search runs.
        position = Signal(bits)
        top = 1 << (bits - 1)
        plane = Signal(PlaneLayout(config))
        groups = by_direction(config, plane.transposed, lambda direction: direction.groups)
        last_group = (self.select == groups - 1) | plane.single
        deciding = Signal()
        m.d.comb += [
            register.i.valid.eq(position[0]),
            deciding.eq(position[0] & register.i.ready),
            self.busy.eq(position.any()),
            self.step.eq(plane.step),
            self.planes.ready.eq(self.sample),
        ]

        # The strobe is registered, so it is decided a cycle ahead: where the search will be at
        # its last decision, with room for the codes, or over.
        preparable = ~self.busy | (deciding & last_group)
        if bits > 1:
            preparable |= position[1] & last_group & register.i.ready
        m.d.sync += self.sample.eq(self.planes.valid & ~self.sample & preparable)

        with m.If(deciding):
            m.d.sync += [
                self.select.eq(Mux(last_group, 0, self.select + 1)),
                position.eq(Mux(last_group, 0, top)),
            ]
        with m.Elif(~position[0]):
            m.d.sync += position.eq(position >> 1)
        with m.If(self.sample):
            m.d.sync += [
                plane.eq(self.planes.payload),
                self.select.eq(self.planes.payload.group),
                position.eq(top),
            ]
        self._search(m, position, deciding, register.i.payload)
        m.d.comb += [
            register.i.payload.beyond.eq(self.beyond & self._with_output(plane)),
            register.i.payload.group.eq(self.select),
            register.i.payload.plane.eq(plane),
        ]
        return m

    def _search(self, m: Module, position: Value, deciding: Value, found: data.View) -> None:
        """Find the code of each ADC, from the top bit down."""
        # The search counts in offset binary, where a set bit always means "higher".
        top = 1 << (self.config.converter.adc_bits - 1)
        for i in range(self.config.converters):
            trial = Signal(len(position), name=f"trial_{i}", init=top)
            kept = Signal.like(trial, name=f"kept_{i}")
            m.d.comb += [
                kept.eq(trial & ~Mux(self.above[i], 0, position)),
                self.trial[i].eq(trial ^ top),
                found.code[i].eq(kept ^ top),
            ]
            with m.If(deciding):
                m.d.sync += trial.eq(top)
            with m.Elif(~position[0]):
                m.d.sync += trial.eq(kept | (position >> 1))

    def _with_output(self, plane: data.View) -> Value:
        """Return a bit for each ADC: it has an output in the group that is converted."""
        adcs = self.config.converter.adcs
        return Cat(
            has_output(self.config, i % adcs, plane.transposed, self.select)
            for i in range(self.config.converters)
        )
