"""Successive-approximation search for the ADCs of a tile, which convert in parallel.

The comparators are analogue and answer through the boundary. Doing the search here, and only the
comparison there, is what lets converter faults be modelled while the logic that ships is tested.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import step_layout
from hw.common.direction import by_direction, has_output
from hw.converter.dac import PlaneLayout
from spec.config import ChipConfig


class CodesLayout(data.StructLayout):
    """Codes of one group of columns or, transposed, of word lines: an entry per ADC.

    `code` and `beyond` per ADC: out of range, so that the code is clamped, never where the ADC
    looks at no output; `group`, the index within each ADC's share; `plane`, as sampled.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": data.ArrayLayout(signed(config.converter.adc_bits), config.converters),
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
    sample, select, step, trial, above, beyond
        As in `hw.boundary.analog.AnalogPort`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        codes = data.ArrayLayout(signed(config.converter.adc_bits), config.converters)
        super().__init__(
            {
                "planes": In(stream.Signature(PlaneLayout(config))),
                "codes": Out(stream.Signature(CodesLayout(config))),
                "busy": Out(1),
                "sample": Out(1),
                "select": Out(config.select_bits),
                "step": Out(step_layout(config)),
                "trial": Out(codes),
                "above": In(config.converters),
                "beyond": In(config.converters),
            }
        )

    def elaborate(self, platform):
        config = self.config
        bits = config.converter.adc_bits
        m = Module()

        # One-hot position of the bit under trial, counting down; zero: no search runs.
        position = Signal(bits)
        plane = Signal(PlaneLayout(config))
        # The search counts in offset binary, where a set bit always means "higher".
        offset = 1 << (bits - 1)
        trial = [Signal(bits, name=f"trial_{i}", init=offset) for i in range(config.converters)]

        searching = position.any()
        codes_free = ~self.codes.valid | self.codes.ready
        groups = by_direction(config, plane.transposed, lambda direction: direction.groups)
        last_group = (self.select == groups - 1) | plane.single
        deciding = position[0] & codes_free
        seen = [
            has_output(config, i % config.converter.adcs, plane.transposed, self.select)
            for i in range(config.converters)
        ]

        m.d.comb += [
            self.busy.eq(searching),
            self.step.eq(plane.step),
            self.planes.ready.eq(self.sample),
        ]

        # The strobe is registered, so it is decided a cycle ahead: where the search will be at
        # its last decision, with room for the codes, or over.
        preparable = ~searching | (deciding & last_group)
        if bits > 1:
            preparable |= position[1] & last_group & codes_free
        m.d.sync += self.sample.eq(self.planes.valid & ~self.sample & preparable)

        with m.If(self.codes.ready):
            m.d.sync += self.codes.valid.eq(0)
        with m.If(deciding):
            m.d.sync += [
                self.codes.valid.eq(1),
                self.codes.payload.beyond.eq(self.beyond & Cat(seen)),
                self.codes.payload.group.eq(self.select),
                self.codes.payload.plane.eq(plane),
                self.select.eq(Mux(last_group, 0, self.select + 1)),
            ]
        with m.If(self.sample):
            m.d.sync += [
                plane.eq(self.planes.payload),
                self.select.eq(self.planes.payload.group),
                position.eq(offset),
            ]
        with m.Elif(deciding):
            m.d.sync += position.eq(Mux(last_group, 0, offset))
        with m.Elif(~position[0]):
            m.d.sync += position.eq(position >> 1)

        for i, value in enumerate(trial):
            found = value & ~Mux(self.above[i], 0, position)
            m.d.comb += self.trial[i].eq(value ^ offset)
            with m.If(deciding):
                m.d.sync += self.codes.payload.code[i].eq(found ^ offset)
                m.d.sync += value.eq(offset)
            with m.Elif(~position[0]):
                m.d.sync += value.eq(found | (position >> 1))
        return m
