"""Encoding of instructions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec.isa import (
    INSTRUCTION_BITS,
    OPERATIONS,
    ErrorCode,
    Instruction,
    MachineError,
    Opcode,
)


def test_every_opcode_is_described():
    assert set(OPERATIONS) == set(Opcode)
    assert INSTRUCTION_BITS == 64


def test_fields_stand_where_the_reference_says():
    instruction = Instruction(Opcode.VSCALE, d=1, a=2, b=3, c=4, n=5)
    assert instruction.encode() == 0x24_0_1_2_3_4_5_00000000
    assert Instruction(Opcode.SET, d=15, immediate=-2).encode() == 0x10_0_F_0_0_0_0_FFFFFFFE


@given(st.integers(0, (1 << 64) - 1) | st.sampled_from(Opcode).map(lambda code: code << 56))
def test_words_decode_to_what_encodes_them_or_are_illegal(word):
    try:
        assert Instruction.decode(word).encode() == word
    except MachineError as error:
        assert error.code is ErrorCode.ILLEGAL


@pytest.mark.parametrize(
    "word",
    [0, 0xFF << 56, (Opcode.HALT << 56) + 1, (Opcode.HALT << 56) + (1 << 52), Opcode.ADD << 56 | 1],
)
def test_unknown_opcodes_and_used_spare_fields_are_illegal(word):
    with pytest.raises(MachineError, match="unknown opcode") as caught:
        Instruction.decode(word)
    assert caught.value.code is ErrorCode.ILLEGAL
