"""Encoding of instructions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spec.assembly import assemble, disassemble
from spec.errors import UserError
from spec.instruction import Instruction
from spec.isa import INSTRUCTION_BITS, OPERATIONS, ErrorCode, MachineError, Opcode


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


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"d": 16}, "d must be an integer of 0 to 15, not 16"),
        ({"n": -1}, "n must be an integer of 0 to 15, not -1"),
        ({"immediate": 1 << 31}, "immediate must be an integer of -2147483648 to 2147483647, not"),
        ({"immediate": -(1 << 31) - 1}, "immediate must be an integer of -2147483648 to"),
        ({"a": True}, "a must be an integer .* not True"),
        ({"immediate": 0.5}, "immediate must be an integer .* not 0.5"),
    ],
)
def test_fields_that_do_not_fit_are_refused_and_not_cut(fields, words):
    with pytest.raises(UserError, match=words):
        Instruction(Opcode.ADDI, **fields).encode()


@pytest.mark.parametrize("word", [-1, 1 << 64, 0.0, None, "1"])
def test_words_of_another_width_are_no_instructions(word):
    with pytest.raises(
        UserError, match="instruction must be an integer of 0 to 18446744073709551615"
    ):
        Instruction.decode(word)
    with pytest.raises(UserError, match="instruction must be"):
        disassemble([0, word])


@pytest.mark.parametrize("text", [b"HALT", None, 3, ["HALT"]])
def test_what_is_no_text_is_no_program(text):
    with pytest.raises(UserError, match="a program must be text, not"):
        assemble(text)
