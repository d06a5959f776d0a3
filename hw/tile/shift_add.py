"""Make results of ADC codes: slices are weighted and summed, planes accumulated."""

import itertools

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, shift_left, tree_sum
from hw.common.direction import by_direction, has_output
from hw.converter.adc import CodesLayout
from spec.config import ChipConfig


class ResultsLayout(data.StructLayout):
    """Results of one group of columns or, transposed, of word lines.

    `sums`, `adcs` x signed(result_bits): entry a is that of output a * groups + `group`, arbitrary
    where there is no such output; `group`, unsigned(select_bits).
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "sums": data.ArrayLayout(signed(config.result_bits), config.converter.adcs),
                "group": config.select_bits,
            }
        )


class ShiftAdd(wiring.Component):
    """Weigh and sum the slices of each column, and accumulate the planes.

    Results of group g leave when the last plane of it is in, groups in order. They leave from the
    accumulator, which waits until they are taken: a register of their own would be as large, and
    so would one of the slice sums.

    Members
    -------
    codes : In, stream of `CodesLayout`
    results : Out, stream of `ResultsLayout`
    saturated : Out, `adcs` bits
        In this cycle an accumulation of an output is clamped to `accumulator_bits`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "codes": In(stream.Signature(CodesLayout(config))),
                "results": Out(stream.Signature(ResultsLayout(config))),
                "saturated": Out(config.converter.adcs),
            }
        )

    def elaborate(self, platform):
        m = Module()
        codes, results = self.codes.payload, self.results.payload
        group = Signal.like(results.group, name="group", reset_less=True)
        taken = Signal()
        m.d.comb += [
            self.codes.ready.eq(~self.results.valid | self.results.ready),
            taken.eq(self.codes.valid & self.codes.ready),
            results.group.eq(group),
        ]
        with m.If(taken):
            m.d.sync += [self.results.valid.eq(codes.plane.last), group.eq(codes.group)]
        with m.Elif(self.results.ready):
            m.d.sync += self.results.valid.eq(0)

        for adc in range(self.config.converter.adcs):
            slice_sum = tree_sum(self._terms(adc))
            partial, outside = self._accumulate(m, adc, slice_sum, taken)
            counted = taken & has_output(self.config, adc, codes.plane.transposed, codes.group)
            m.d.comb += [results.sums[adc].eq(partial), self.saturated[adc].eq(counted & outside)]
        return m

    def _terms(self, adc: int) -> list[Value]:
        """Return the codes of one ADC over all slices, and of the unit column, weighted."""
        config, codes = self.config, self.codes.payload
        terms = []
        for s in range(config.array.slices):
            code = codes.code[s * config.converter.adcs + adc]
            terms.append(shift_left(code, codes.step[s]) << (s * config.array.cell_bits))
        if config.unit_columns:
            unit = shift_left(codes.code[config.converters - 1], codes.step[config.array.slices])
            # The unit column weighs what the mapping added to every weight, a power of two.
            terms.append(-(unit << (config.array.cell_bits * config.array.slices - 1)))
        return terms

    def _accumulate(
        self, m: Module, adc: int, slice_sum: Value, taken: Value
    ) -> tuple[Value, Value]:
        """Add a slice sum to the partial sum of its group.

        Returns the newest partial sum, and whether the one that follows it saturates.
        """
        config, plane = self.config, self.codes.payload.plane
        # Partial sums circulate; the current group's was written `groups` cycles ago.
        longest = max(direction.groups for direction in config.directions)
        ring = [
            Signal(signed(config.result_bits), name=f"partial_{adc}_{age}", reset_less=True)
            for age in reversed(range(longest))
        ]
        before = by_direction(
            config, plane.transposed, lambda direction: ring[longest - direction.groups]
        )
        base = Mux(plane.first, Const(0, signed(1)), before)
        exact = Signal(signed(config.worst_result_bits), name=f"total_{adc}")
        near, outside = clamp(exact, signed(config.result_bits))
        m.d.comb += exact.eq((base << config.converter.dac_bits) + slice_sum)
        with m.If(taken):
            for older, newer in itertools.pairwise(ring):
                m.d.sync += older.eq(newer)
            m.d.sync += ring[-1].eq(near)
        return ring[-1], outside
