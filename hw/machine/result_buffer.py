"""Results of one tile, brought into the order of the outputs."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import pick
from hw.common.direction import by_direction
from hw.tile.shift_add import ResultsLayout
from spec.config import ChipConfig


class ResultBuffer(wiring.Component):
    """Gather the groups of a product, and hand its results out beat by beat.

    Members
    -------
    transposed : In, 1
    results : In, stream of `ResultsLayout`
    full : Out, 1
        A whole product is there.
    words : Out, `lanes` x signed(result_bits)
        Next beat of its results.
    shift : In, 1
        Go on to the beat behind it.
    free : In, 1
        Forget the product.
    discard : In, 1
        Take results, and forget them.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "transposed": In(1),
                "results": In(stream.Signature(ResultsLayout(config))),
                "full": Out(1),
                "words": Out(data.ArrayLayout(signed(config.result_bits), config.machine.lanes)),
                "shift": In(1),
                "free": In(1),
                "discard": In(1),
            }
        )

    def elaborate(self, platform):
        config, results = self.config, self.results
        directions, lanes = config.directions, config.machine.lanes
        m = Module()
        beats = -(-max(direction.outputs for direction in directions) // lanes)
        ordered = Signal(
            data.ArrayLayout(signed(config.result_bits), beats * lanes), reset_less=True
        )
        # All groups but the last wait here, so that the product before can leave meanwhile.
        sums = data.ArrayLayout(signed(config.result_bits), config.converter.adcs)
        most = max(direction.groups for direction in directions)
        waiting = [Signal(sums, name=f"group_{g}", reset_less=True) for g in range(most - 1)]

        groups = by_direction(config, self.transposed, lambda direction: direction.groups)
        last = results.payload.group == groups - 1
        m.d.comb += results.ready.eq(~last | ~self.full | self.discard)
        # Beats that have been taken.
        beat = Signal(range(beats), reset_less=True)
        width = lanes * config.result_bits
        words = [ordered.as_value()[b * width : (b + 1) * width] for b in range(beats)]
        m.d.comb += self.words.eq(pick(words, beat))
        with m.If(self.shift):
            m.d.sync += beat.eq(beat + 1)
        with m.If(self.free):
            m.d.sync += self.full.eq(0)
        with m.If(results.valid & results.ready):
            for g, group in enumerate(waiting):
                with m.If(results.payload.group == g):
                    m.d.sync += group.eq(results.payload.sums)
            with m.If(last):
                m.d.sync += [self.full.eq(1), beat.eq(0)]
                for transposed, direction in enumerate(directions):
                    with m.If(self.transposed == transposed):
                        for output in range(direction.outputs):
                            adc, g = divmod(output, direction.groups)
                            group = [*waiting[: direction.groups - 1], results.payload.sums][g]
                            m.d.sync += ordered[output].eq(group[adc])
        with m.If(self.discard):
            m.d.sync += self.full.eq(0)
        return m
