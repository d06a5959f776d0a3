"""Input vectors to planes of DAC codes, most significant digit first."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import Mode, step_layout
from spec.config import ChipConfig


class VectorLayout(data.StructLayout):
    """An operand: `x`, `drive_lines` x signed(input_bits); `step`, the ADC steps of its product;
    `transposed`, a bit if there is the choice: the product is one with the transposed matrix.

    Elements of `x` beyond the inputs are applied to no line.
    """

    def __init__(self, config: ChipConfig):
        x = data.ArrayLayout(signed(config.converter.input_bits), config.drive_lines)
        transposed = int(config.transposable)
        super().__init__({"x": x, "step": step_layout(config), "transposed": transposed})


class PlaneLayout(data.StructLayout):
    """What goes with a sampled plane.

    `first` and `last` of its vector; ADC `step`; `transposed`, as in `VectorLayout`; `single`: only
    `group` is to be converted, otherwise all are, and it is 0.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "first": 1,
                "last": 1,
                "step": step_layout(config),
                "transposed": int(config.transposable),
                "single": 1,
                "group": config.select_bits,
            }
        )


class DacSequencer(wiring.Component):
    """Drive the digits of each vector one after the other.

    A plane is offered on `planes` once the array has settled for it; the cycle of the transfer is
    the one at whose end the array is sampled, and the next digit, or the first of the next
    vector, is driven in the cycle after.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "vectors": In(stream.Signature(VectorLayout(config))),
                "planes": Out(stream.Signature(PlaneLayout(config))),
                "mode": Out(Mode),
                "code": Out(data.ArrayLayout(signed(config.code_bits), config.drive_lines)),
                "strobe": Out(1),
                "settled": In(1),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()

        # Each operand shifts left through the DAC code, which is its uppermost bits. The topmost
        # carries the sign of the first plane; shifts clear it, and clear all after the last plane.
        width = (config.planes - 1) * config.converter.dac_bits + config.code_bits
        operands = [Signal(signed(width), name=f"operand_{r}") for r in range(config.drive_lines)]
        step = Signal(step_layout(config))
        transposed = self.mode == Mode.MVM_T
        # Plane under drive, counting down.
        remaining = Signal(range(config.planes))
        first = Signal()

        for operand, code in zip(operands, self.code, strict=True):
            m.d.comb += code.eq(operand[-config.code_bits :])

        driving = (self.mode == Mode.MVM) | transposed
        last = remaining == 0
        m.d.comb += [
            self.planes.valid.eq(driving & ~self.strobe & self.settled),
            self.planes.payload.first.eq(first),
            self.planes.payload.last.eq(last),
            self.planes.payload.step.eq(step),
            self.planes.payload.transposed.eq(transposed),
        ]
        sampled = self.planes.valid & self.planes.ready
        m.d.comb += self.vectors.ready.eq(Mux(driving, sampled & last, 1))

        m.d.sync += self.strobe.eq(0)
        with m.If(self.vectors.valid & self.vectors.ready):
            for operand, x in zip(operands, self.vectors.payload.x, strict=True):
                m.d.sync += operand.eq(x)
            m.d.sync += [
                step.eq(self.vectors.payload.step),
                remaining.eq(config.planes - 1),
                first.eq(1),
                self.mode.eq(Mode.MVM),
                self.strobe.eq(1),
            ]
            with m.If(self.vectors.payload.transposed):
                m.d.sync += self.mode.eq(Mode.MVM_T)
        with m.Elif(sampled):
            for operand in operands:
                rest = operand[: width - config.code_bits]
                m.d.sync += operand.eq(Cat(Const(0, config.converter.dac_bits), rest))
            with m.If(last):
                m.d.sync += self.mode.eq(Mode.IDLE)
            with m.Else():
                m.d.sync += [remaining.eq(remaining - 1), first.eq(0), self.strobe.eq(1)]
        return m
