"""Requirements on the operands of a product."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import fits
from hw.common.errors import lowest_error
from hw.common.ranges import vector_extent, within
from hw.machine.descriptors import DescriptorLayout
from hw.machine.interfaces import CODE_BITS, InstructionRequest
from spec.config import ChipConfig
from spec.isa import ANSWER_WORDS, RIGHT_SHIFTS, ErrorCode


class ProductCheck(wiring.Component):
    """Find the error in which a product ends before it begins.

    Members
    -------
    request : In, `InstructionRequest`
    descriptor : In, `DescriptorLayout`
        Descriptor of its matrix.
    count, inputs, outputs : In, `vector_extent` each
        Number of vectors, length of one, and length of a result, each cut to its width.
    solves : In, 1
        It is no product but INV, whose matrix and operands have other ranges.
    held : In, 1
        The tiles hold the whole matrix.
    code : Out, 8
        `ErrorCode`, the lowest that applies, or NONE; a cycle after the lengths.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "request": In(InstructionRequest),
                "descriptor": In(DescriptorLayout),
                "count": In(vector_extent(config)),
                "inputs": In(vector_extent(config)),
                "outputs": In(vector_extent(config)),
                "solves": In(1),
                "held": In(1),
                "code": Out(CODE_BITS),
            }
        )

    def elaborate(self, platform):
        request, descriptor = self.request, self.descriptor
        machine = self.config.machine
        words = machine.vector_words
        m = Module()
        # Words of all vectors, of all results, and of the matrix.
        total = 2 * len(self.count)
        outputs = self.outputs
        if self.config.machine.invertible:
            outputs = outputs + Mux(self.solves, ANSWER_WORDS, 0)
        vectors = Signal(total)
        results = Signal(total)
        weights = Signal(total)
        m.d.sync += [
            vectors.eq(self.count * self.inputs),
            results.eq(self.count * outputs),
            weights.eq(self.inputs * self.outputs),
        ]

        def in_range(value: Value, low: int, high: int) -> Value:
            """Return whether a value lies in a range that begins at 0 or above."""
            near = value[: high.bit_length()]
            allowed = fits(value, unsigned(high.bit_length())) & (near <= high)
            return allowed & (near >= low) if low else allowed

        # Cut to their width, which suffices for what lies in the memory.
        bits = words.bit_length()
        a, d = request.a[:bits], request.d[:bits]
        before = d + results[:bits] <= a
        behind = a + vectors[:bits] <= d
        requirements = {
            ErrorCode.OPERAND: in_range(request.c, *RIGHT_SHIFTS),
            ErrorCode.MATRIX: in_range(request.immediate, 0, machine.matrices - 1)
            & in_range(descriptor.rows, 1, words)
            & in_range(descriptor.columns, 1, words)
            & (descriptor.tile < machine.tiles),
            ErrorCode.ADDRESS: in_range(request.n, 0, words)
            & within(request.a, vectors, words)
            & within(request.d, results, words),
            ErrorCode.OVERLAP: before | behind,
            ErrorCode.WEIGHTS: self.held
            | within(descriptor.weights, weights, machine.weight_words),
        }
        if self.config.machine.invertible:
            size = self.config.array.rows
            b = request.b[:bits]
            feedback = within(request.b, Const(size, bits), words)
            apart = (d + results[:bits] <= b) | (b + size <= d) | (self.count == 0)
            square = (descriptor.rows == descriptor.columns) & (descriptor.rows <= size)
            step = in_range(request.c, 0, self.config.inversion.inv_steps - 1)
            shift = requirements[ErrorCode.OPERAND]
            requirements[ErrorCode.OPERAND] = Mux(self.solves, step, shift)
            requirements[ErrorCode.MATRIX] &= ~self.solves | square
            requirements[ErrorCode.ADDRESS] &= ~self.solves | feedback
            requirements[ErrorCode.OVERLAP] &= ~self.solves | apart
        m.d.comb += self.code.eq(lowest_error({code: ~met for code, met in requirements.items()}))
        return m
