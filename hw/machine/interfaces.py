"""What joins the parts of the chip: the sequencer with its units, and the host with the memories.

The sequencer reads all operands of an instruction and hands them to the unit that executes it, and
goes on when the unit replies. One instruction is under way at a time.
"""

from amaranth.hdl import signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig
from spec.isa import INSTRUCTION_FIELDS, SCALAR_BITS, WORD_BITS

InstructionLayout = data.StructLayout(
    {f.name: signed(f.width) if f.signed else f.width for f in INSTRUCTION_FIELDS}
)
"""An instruction in the program memory."""

CODE_BITS = InstructionLayout["opcode"].width
"""Of opcodes, and of error codes."""

UnitRequest = data.StructLayout(
    {
        "opcode": CODE_BITS,
        **{name: signed(SCALAR_BITS) for name in "dabcn"},
        "immediate": signed(WORD_BITS),
    }
)
"""An instruction for a unit: values of its scalars. Those that it does not use are arbitrary."""


class UnitReply(data.StructLayout):
    """What an instruction has done.

    `code`, an `ErrorCode`, NONE unless it faulted or was aborted; `scalar`, the new value of d if
    the instruction has one; and what to add to the counters of the same names.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": CODE_BITS,
                "scalar": signed(SCALAR_BITS),
                "saturations": range(config.machine.vector_words + 1),
                "input_clips": range(config.machine.vector_words + 1),
                "reprograms": range(config.machine.weight_words + 1),
            }
        )


class UnitPort(wiring.Signature):
    """A unit, seen from the sequencer.

    Members
    -------
    request : Out, stream of `UnitRequest`
        The payload stays until the reply is taken, so that the unit need not keep it.
    reply : In, stream of `UnitReply`
        One for each request. All effects of the instruction are there in the cycle after it. A
        unit whose instruction faults has changed nothing.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "request": Out(stream.Signature(UnitRequest)),
                "reply": In(stream.Signature(UnitReply(config))),
            }
        )
