"""Decoding of instructions: what the sequencer has to do for each."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.machine.interfaces import VECTOR_OPCODES, InstructionLayout
from spec.config import ChipConfig
from spec.instruction import unknown_opcodes
from spec.isa import INSTRUCTION_FIELDS, OPERATIONS, TILE_OPCODES, Immediate, Opcode

BRANCHES = Opcode.BEQ, Opcode.BNE, Opcode.BLT, Opcode.BGE
SUBTRACTING = Opcode.SUB, Opcode.LOOP, *BRANCHES
ACCESSES = Opcode.LOAD, Opcode.STORE
BY_IMMEDIATE = Opcode.SET, Opcode.ADDI, *ACCESSES
REDUCTIONS = tuple(o for o in VECTOR_OPCODES if not OPERATIONS[o].destination)

DecodedLayout = data.StructLayout(
    dict.fromkeys(
        (
            "illegal",
            "vector",
            "product",
            "reduces",
            "accesses",
            "subtracts",
            "from_zero",
            "by_immediate",
            "by_one",
        ),
        1,
    )
)
"""Needs of an instruction, 1 bit each.

`illegal`: its opcode is unknown, or a field that it does not use is not 0. `vector`, `product`: it
is executed by the vector unit, or by the product unit. `reduces`: its reply has a new value of d.
`accesses`: it reads or writes one word of the vector memory. Of the sum of two scalars:
`subtracts`, `from_zero` instead of the first one, and `by_immediate` or `by_one` instead of the
second.
"""


class Decoder(wiring.Component):
    """Decode instructions.

    Members
    -------
    instruction : In, `InstructionLayout`
    en : In, 1
        Decode it in this cycle.
    decoded : Out, `DecodedLayout`
        From the next cycle until the next `en`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {"instruction": In(InstructionLayout), "en": In(1), "decoded": Out(DecodedLayout)}
        )

    def elaborate(self, platform):
        instruction, opcode = self.instruction, self.instruction.opcode
        unknown = unknown_opcodes(self.config)
        m = Module()
        decoded = Signal(DecodedLayout)
        with m.If(self.en):
            m.d.sync += self.decoded.eq(decoded)
        m.d.comb += [
            decoded.vector.eq(opcode.matches(*VECTOR_OPCODES)),
            decoded.product.eq(opcode.matches(*(o for o in TILE_OPCODES if o not in unknown))),
            decoded.reduces.eq(opcode.matches(*REDUCTIONS)),
            decoded.accesses.eq(opcode.matches(*ACCESSES)),
            decoded.subtracts.eq(opcode.matches(*SUBTRACTING)),
            decoded.from_zero.eq(opcode == Opcode.SET),
            decoded.by_immediate.eq(opcode.matches(*BY_IMMEDIATE)),
            decoded.by_one.eq(opcode == Opcode.LOOP),
        ]
        with m.Switch(opcode):
            for each, operation in OPERATIONS.items():
                if each in unknown:
                    continue
                used = {"opcode", *operation.scalars}
                if operation.immediate is not Immediate.NONE:
                    used.add("immediate")
                names = [field.name for field in INSTRUCTION_FIELDS if field.name not in used]
                with m.Case(each):
                    unused = Cat(instruction[name] for name in names)
                    m.d.comb += decoded.illegal.eq(unused.any())
            with m.Default():
                m.d.comb += decoded.illegal.eq(1)
        return m
