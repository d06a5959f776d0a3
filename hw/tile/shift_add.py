"""From ADC codes to results: slices are weighted and summed, planes accumulated."""

import itertools

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import tree_sum
from hw.common.direction import by_direction, has_output
from hw.converter.adc import CodesLayout
from spec.config import ChipConfig


class ResultsLayout(data.StructLayout):
    """Results of one group of columns or, transposed, of word lines.

    `sums`, one per ADC of an array: entry a is that of output a * groups + `group`, arbitrary where
    there is no such output.
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

    Two registers lie between codes and results: the slice sum and the accumulator. Results of
    group g leave when the last plane of it is in, groups in order.

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
        config = self.config
        m = Module()
        exact = signed(config.worst_result_bits)

        codes = self.codes.payload
        slice_sums = [Signal(exact, name=f"slice_sum_{a}") for a in range(config.converter.adcs)]
        occupied = Signal()
        plane = Signal.like(codes.plane)
        group = Signal.like(codes.group)

        # Partial results pass by: as many steps back as there are groups lies that at hand.
        ring = [
            [
                Signal(signed(config.result_bits), name=f"partial_{a}_{g}")
                for a in range(config.converter.adcs)
            ]
            for g in range(max(direction.groups for direction in config.directions))
        ]

        def before(adc: int) -> Value:
            return by_direction(
                config, plane.transposed, lambda direction: ring[len(ring) - direction.groups][adc]
            )

        results_free = ~self.results.valid | self.results.ready
        accumulating = occupied & (~plane.last | results_free)
        m.d.comb += self.codes.ready.eq(~occupied | accumulating)

        with m.If(self.results.ready):
            m.d.sync += self.results.valid.eq(0)
        with m.If(accumulating):
            m.d.sync += occupied.eq(0)
            with m.If(plane.last):
                m.d.sync += [self.results.valid.eq(1), self.results.payload.group.eq(group)]
        with m.If(self.codes.valid & self.codes.ready):
            m.d.sync += [occupied.eq(1), plane.eq(codes.plane), group.eq(codes.group)]

        high = (1 << (config.result_bits - 1)) - 1
        for a in range(config.converter.adcs):
            with m.If(self.codes.valid & self.codes.ready):
                m.d.sync += slice_sums[a].eq(tree_sum(self._terms(codes, a)))

            total = Signal(exact, name=f"total_{a}")
            kept = Signal(signed(config.result_bits), name=f"kept_{a}")
            base = Mux(plane.first, Const(0, signed(1)), before(a))
            m.d.comb += [
                total.eq((base << config.converter.dac_bits) + slice_sums[a]),
                kept.eq(total),
            ]
            if config.result_bits < config.worst_result_bits:
                above, below = total > high, total < -high - 1
                counted = accumulating & has_output(config, a, plane.transposed, group)
                m.d.comb += self.saturated[a].eq(counted & (above | below))
                with m.If(above):
                    m.d.comb += kept.eq(high)
                with m.Elif(below):
                    m.d.comb += kept.eq(-high - 1)

            with m.If(accumulating):
                for here, behind in itertools.pairwise(ring):
                    m.d.sync += here[a].eq(behind[a])
                m.d.sync += ring[-1][a].eq(kept)
                with m.If(plane.last):
                    m.d.sync += self.results.payload.sums[a].eq(kept)
        return m

    def _terms(self, codes: data.View, adc: int) -> list[Value]:
        """Return the codes of one ADC over all slices, and of the unit column, weighted."""
        config = self.config
        terms = []
        for s in range(config.array.slices):
            code = codes.code[s * config.converter.adcs + adc]
            terms.append((code << codes.plane.step[s]) << (s * config.array.cell_bits))
        if config.unit_columns:
            unit = codes.code[config.converters - 1] << codes.plane.step[config.array.slices]
            # The unit column weighs what the mapping added to every weight, a power of two.
            terms.append(-(unit << (config.array.cell_bits * config.array.slices - 1)))
        return terms
