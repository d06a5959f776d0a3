"""Ports between the sequencer and what executes the instructions that it hands on.

The sequencer reads all operands of an instruction, hands them to the vector unit or the product
unit, and goes on when that replies. One instruction is under way at a time.
"""

from amaranth.hdl import signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hw.common.layouts import fields_layout
from hw.common.ranges import vector_extent
from hw.common.signature import ParameterSignature
from spec.config import ChipConfig
from spec.isa import INSTRUCTION_FIELDS, SCALAR_BITS, WORD_BITS, Opcode

InstructionLayout = fields_layout(INSTRUCTION_FIELDS)
"""An instruction in the program memory."""

CODE_BITS = InstructionLayout["opcode"].width
"""Width of opcodes, and of error codes."""

VECTOR_OPCODES = tuple(opcode for opcode in Opcode if Opcode.VADD <= opcode <= Opcode.VDOT)
"""Opcodes that the vector unit executes; the product unit executes `spec.isa.PRODUCTS`."""

InstructionRequest = data.StructLayout(
    {
        "opcode": CODE_BITS,
        **{name: signed(SCALAR_BITS) for name in "dabcn"},
        "immediate": signed(WORD_BITS),
    }
)
"""An instruction with the values of its scalars; those that it does not use are arbitrary."""


class InstructionReply(data.StructLayout):
    """Outcome of an instruction.

    `code`, an `ErrorCode`: NONE unless it ended in an error or was aborted; `scalar`, the new value
    of d if the instruction has one; the other fields are added to the counters of the same names.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": CODE_BITS,
                "scalar": signed(SCALAR_BITS),
                "saturations": vector_extent(config),
                # The results of a product stand in the same memory as its inputs.
                "input_clips": range(config.machine.vector_words),
                # Each block has a weight at least.
                "reprograms": range(config.machine.weight_words + 1),
            }
        )


class InstructionPort(ParameterSignature):
    """Hand an instruction on, seen from the sequencer.

    Members
    -------
    request : Out, stream of `InstructionRequest`
        The payload stays until the reply is taken, so that nobody else need keep it.
    reply : In, stream of `InstructionReply`
        Comes once for each request. All effects of the instruction are there in the cycle after
        it. An instruction that ends in an error has changed nothing.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "request": Out(stream.Signature(InstructionRequest)),
                "reply": In(stream.Signature(InstructionReply(config))),
            },
            config=config,
        )
