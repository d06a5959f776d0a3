"""A tile: vectors in, matrix-vector products out, an analogue array in between.

    vectors -> DacSequencer -> (array) -> SarBank -> ShiftAdd -> results

Sample-and-hold lets the next digit be driven while the last is converted, so the slower of the
two sets the pace: `ChipConfig.plane_cycles` a plane, `ChipConfig.latency_cycles` for the first
product.
"""

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from golden.config import ChipConfig
from hw.adc import SarBank
from hw.analog import AnalogPort
from hw.counters import Counters, TileCounters
from hw.dac import DacSequencer, VectorLayout
from hw.shift_add import ResultsLayout, ShiftAdd, tree_sum


class Tile(wiring.Component):
    """The digital periphery of one array (or of one array per slice).

    Members
    -------
    vectors : In, stream of `VectorLayout`
        Operands and the ADC steps of their products.
    results : Out, stream of `ResultsLayout`
        `groups` transfers a product, in order.
    analog : Out, `AnalogPort`
    counters : Out, `TileCounters`
        A cycle late.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "vectors": In(stream.Signature(VectorLayout(config))),
                "results": Out(stream.Signature(ResultsLayout(config))),
                "analog": Out(AnalogPort(config)),
                "counters": Out(TileCounters),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dac = dac = DacSequencer(self.config)
        m.submodules.adc = adc = SarBank(self.config)
        m.submodules.shift_add = shift_add = ShiftAdd(self.config)

        analog = self.analog
        m.d.comb += [
            analog.mode.eq(dac.mode),
            analog.code.eq(dac.code),
            analog.strobe.eq(dac.strobe),
            dac.settled.eq(analog.settled),
            analog.sample.eq(adc.sample),
            analog.select.eq(adc.select),
            analog.step.eq(adc.step),
            analog.trial.eq(adc.trial),
            adc.above.eq(analog.above),
            adc.beyond.eq(analog.beyond),
        ]
        connect(m, wiring.flipped(self.vectors), dac.vectors)
        connect(m, dac.planes, adc.planes)
        connect(m, adc.codes, shift_add.codes)
        connect(m, shift_add.results, wiring.flipped(self.results))

        codes = adc.codes.payload
        taken = adc.codes.valid & adc.codes.ready
        high, low = [], []
        for code, beyond in zip(codes.code, codes.beyond, strict=True):
            high.append(taken & beyond & (code >= 0))
            low.append(taken & beyond & (code < 0))
        m.submodules.counters = counters = Counters(
            {
                "cycles": Value.cast(1),
                "drives": dac.strobe,
                "conversions": Mux(taken, self.config.converters, 0),
                "adc_cycles": adc.busy,
                "clips_high": tree_sum(high),
                "clips_low": tree_sum(low),
                "saturations": tree_sum(list(shift_add.saturated)),
            }
        )
        m.d.comb += self.counters.eq(counters.counters)
        return m
