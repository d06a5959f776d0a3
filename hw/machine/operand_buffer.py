"""Register in which the next vector of a tile is put together."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig


class OperandBuffer(wiring.Component):
    """Put beats of a vector together, and offer it.

    Members
    -------
    reserve : In, 1
        A vector is on its way.
    reserved : Out, 1
        From then on until a tile takes the vector.
    fill : In, 1
        Put a beat behind those that came before.
    words : In, `lanes` x signed(input_bits)
        The beat.
    last : In, 1
        The vector is complete with it.
    stop : In, 1
        Forget a vector that is not complete.
    vector : Out, stream of `drive_lines` x signed(input_bits)
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        word = signed(config.converter.input_bits)
        super().__init__(
            {
                "reserve": In(1),
                "reserved": Out(1),
                "fill": In(1),
                "words": In(data.ArrayLayout(word, config.machine.lanes)),
                "last": In(1),
                "stop": In(1),
                "vector": Out(stream.Signature(data.ArrayLayout(word, config.drive_lines))),
            }
        )

    def elaborate(self, platform):
        vector, words = self.vector, self.words.as_value()
        beats = -(-self.config.drive_lines // self.config.machine.lanes)
        m = Module()
        operand = Signal(beats * len(words), reset_less=True)
        m.d.comb += vector.payload.eq(operand)
        with m.If(self.fill):
            m.d.sync += [operand.eq(Cat(operand[len(words) :], words)), vector.valid.eq(self.last)]
        with m.If(self.reserve):
            m.d.sync += self.reserved.eq(1)
        with m.If(vector.valid & vector.ready):
            m.d.sync += [vector.valid.eq(0), self.reserved.eq(0)]
        with m.If(self.stop & ~vector.valid):
            m.d.sync += [vector.valid.eq(0), self.reserved.eq(0)]
        return m
