"""One instruction of the machine, to and from its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spec.errors import require_integer
from spec.isa import (
    INSTRUCTION_BITS,
    INSTRUCTION_FIELDS,
    OPERATIONS,
    ErrorCode,
    Immediate,
    MachineError,
    Opcode,
)

if TYPE_CHECKING:
    from spec.config import ChipConfig


def unknown_opcodes(config: ChipConfig) -> frozenset[Opcode]:
    """Return the opcodes that a chip does not know."""
    known = {Opcode.MVM_T: config.transposable, Opcode.INV: config.machine.invertible}
    return frozenset(opcode for opcode, is_known in known.items() if not is_known)


@dataclass(frozen=True)
class Instruction:
    """An instruction: an opcode, the numbers of its scalars and its immediate."""

    opcode: Opcode
    d: int = 0
    a: int = 0
    b: int = 0
    c: int = 0
    n: int = 0
    immediate: int = 0

    def encode(self) -> int:
        """Return the instruction as a 64-bit word.

        Raises
        ------
        UserError
            If the number of a scalar or the immediate does not fit its field.
        """
        word = position = 0
        for field in INSTRUCTION_FIELDS:
            value = require_integer(field.name, getattr(self, field.name, 0), *field.range)
            word |= (value & ((1 << field.width) - 1)) << position
            position += field.width
        return word

    @classmethod
    def decode(cls, word: int) -> Instruction:
        """Return the instruction of a 64-bit word.

        Raises
        ------
        MachineError
            ILLEGAL, if there is none.
        UserError
            If it is no word of 64 bits.
        """
        word = require_integer("instruction", word, 0, (1 << INSTRUCTION_BITS) - 1)
        values = {}
        for field in INSTRUCTION_FIELDS:
            value = word & ((1 << field.width) - 1)
            if field.signed and value >> (field.width - 1):
                value -= 1 << field.width
            values[field.name] = value
            word >>= field.width
        number = values.pop("opcode")
        if number not in Opcode._value2member_map_:
            raise MachineError(ErrorCode.ILLEGAL)
        opcode = Opcode(number)
        operation = OPERATIONS[opcode]
        used = set(operation.scalars)
        if operation.immediate is not Immediate.NONE:
            used.add("immediate")
        if any(value and name not in used for name, value in values.items()):
            raise MachineError(ErrorCode.ILLEGAL)
        del values["zero"]
        return cls(opcode, **values)
