"""Cut input vectors into planes of DAC codes, most significant digit first."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import Mode, step_layout
from hw.boundary.drive import DrivePort
from spec.config import ChipConfig


class VectorLayout(data.StructLayout):
    """An operand of a product.

    `x`, `drive_lines` x signed(input_bits), of which elements beyond the inputs are applied to no
    line; `step`, `step_layout`, the ADC steps of its product; `transposed`, 1 bit if there is the
    choice, else none: the product is one with the transposed matrix.
    """

    def __init__(self, config: ChipConfig):
        x = data.ArrayLayout(signed(config.converter.input_bits), config.drive_lines)
        transposed = int(config.transposable)
        super().__init__({"x": x, "step": step_layout(config), "transposed": transposed})


class PlaneLayout(data.StructLayout):
    """Conditions under which a plane is sampled.

    `first` and `last` of its vector, 1 bit each; `transposed`, as in `VectorLayout`; `single`, 1
    bit: only `group`, unsigned(select_bits), is to be converted, otherwise all are, and it is 0.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "first": 1,
                "last": 1,
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

    Members
    -------
    vectors : In, stream of `VectorLayout`
    planes : Out, stream of `PlaneLayout`
    drive : Out, `DrivePort`
    code : Out, `drive_lines` x signed(code_bits)
        As in `hw.boundary.analog.AnalogPort`.
    settled : In, 1
        The array has settled for the present drive, see `hw.boundary.synchronizer.Settling`.
    driving : Out, 1
        The array is driven with a plane.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "vectors": In(stream.Signature(VectorLayout(config))),
                "planes": Out(stream.Signature(PlaneLayout(config))),
                "drive": Out(DrivePort(config)),
                "code": Out(data.ArrayLayout(signed(config.code_bits), config.drive_lines)),
                "settled": In(1),
                "driving": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        vector, plane = self.vectors.payload, self.planes.payload
        drive = self.drive
        # Planes after the one under drive.
        remaining = Signal(range(self.config.planes))
        last = remaining == 0
        taken = self.vectors.valid & self.vectors.ready
        sampled = self.planes.valid & self.planes.ready
        m.d.comb += [
            self.planes.valid.eq(self.driving & self.settled),
            self.vectors.ready.eq(~self.driving | (sampled & last)),
            plane.last.eq(last),
            drive.begin.eq(taken | (sampled & ~last)),
            drive.change.eq(taken | (sampled & last)),
            drive.step.eq(vector.step),
        ]
        with m.If(taken):
            m.d.comb += drive.mode.eq(Mux(vector.transposed, Mode.MVM_T, Mode.MVM))
            m.d.sync += [
                self.driving.eq(1),
                plane.first.eq(1),
                plane.transposed.eq(vector.transposed),
                remaining.eq(self.config.planes - 1),
            ]
        with m.Elif(sampled & last):
            m.d.sync += self.driving.eq(0)
        with m.Elif(sampled):
            m.d.sync += [remaining.eq(remaining - 1), plane.first.eq(0)]
        self._shift_operands(m, taken, sampled)
        return m

    def _shift_operands(self, m: Module, taken: Value, sampled: Value) -> None:
        """Take operands, and shift them to the left by a digit with every sample."""
        config = self.config
        # The DAC code is the uppermost bits of the operand. The topmost carries the sign of the
        # first plane; shifts clear it, and clear all after the last plane.
        width = (config.planes - 1) * config.converter.dac_bits + config.code_bits
        for i, (x, code) in enumerate(zip(self.vectors.payload.x, self.code, strict=True)):
            operand = Signal(signed(width), name=f"operand_{i}")
            rest = operand[: width - config.code_bits]
            m.d.comb += code.eq(operand[-config.code_bits :])
            with m.If(taken):
                m.d.sync += operand.eq(x)
            with m.Elif(sampled):
                m.d.sync += operand.eq(Cat(Const(0, config.converter.dac_bits), rest))
