"""Assembly text to words, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmulator.jobs import assemble as assemble_job
from spec.assembly import AssemblyError, assemble, disassemble
from spec.instruction import Instruction
from spec.isa import OPERATIONS, SCALARS, WORD_RANGE, Immediate, Opcode


@st.composite
def instructions(draw):
    opcode = draw(st.sampled_from(Opcode))
    operation = OPERATIONS[opcode]
    fields = {name: draw(st.integers(0, SCALARS - 1)) for name in operation.scalars}
    if operation.immediate is not Immediate.NONE:
        fields["immediate"] = draw(st.integers(-1, 12) | st.integers(*WORD_RANGE))
    return Instruction(opcode, **fields).encode()


@given(st.lists(instructions() | st.integers(0, 2**64 - 1), max_size=9))
def test_disassembly_assembles_to_the_same_words(words):
    assert assemble(disassemble(words)) == words


def test_labels_symbols_and_numbers():
    text = """
    ; counts
    n = 0x10 - 0b11
    count = s3
    begin:  end:        ; two names of one place
            set count, n + 010 - -1
            JUMP last
            BNE s1, count, begin
    last:   LOOP count, end + 1
            .word 0xFFFFFFFFFFFFFFFF
    """
    assert assemble(text) == [
        Instruction(Opcode.SET, d=3, immediate=24).encode(),
        Instruction(Opcode.JUMP, immediate=3).encode(),
        Instruction(Opcode.BNE, a=1, b=3, immediate=0).encode(),
        Instruction(Opcode.LOOP, d=3, immediate=1).encode(),
        2**64 - 1,
    ]


def test_disassembly_names_the_targets():
    words = assemble("SET s0, 2\nloop: LOOP s0, loop\nJUMP 99")
    assert disassemble(words) == ("        SET s0, 2\nL1:     LOOP s0, L1\n        JUMP 99\n")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("HALT\n  VAD s0, s1, s2, s3", 2, 3, "no instruction VAD: did you mean VADD?"),
        ("SET s0", 1, 1, "SET has 1 operands and needs 2 (d, immediate)"),
        ("HALT 1", 1, 1, "HALT has 1 operands and needs none"),
        ("SET 3, 4", 1, 5, "d must be a scalar, s0 to s15"),
        ("SET s16, 4", 1, 5, "s16 is not defined: did you mean s6?"),
        ("SET s1, s2", 1, 9, "s2 is a scalar; a number must stand here"),
        ("SET s1, 1 + s2", 1, 13, "s2 is a scalar and must stand alone"),
        ("SET s1, 0x80000000", 1, 9, "2147483648 is not in the range -2147483648 to 2147483647"),
        (".word -1", 1, 7, "-1 is not in the range 0 to 18446744073709551615"),
        ("SET s1, 1 +", 1, 12, "expected a value before 'end of line'"),
        ("SET , 1", 1, 5, "expected a value before ','"),
        ("SET s1, 1 2", 1, 11, "'2' cannot stand here"),
        ("SET s1, 12x", 1, 9, "'1' does not begin a number, name or sign"),
        ("SET s1, #1", 1, 9, "'#' does not begin a number, name or sign"),
        ("JUMP nowhere", 1, 6, "nowhere is not defined"),
        ("x = y\ny = 1", 1, 5, "y is not defined"),
        ("x = 1\nx: HALT", 2, 1, "x is defined already"),
        ("s3 = 1", 1, 1, "s3 is defined already"),
        ("x = 1, 2", 1, 1, "x has 2 operands and needs 1 (value)"),
        ("3 = x", 1, 1, "a line cannot begin with '3'"),
    ],
)
def test_errors_say_where(text, line, column, message):
    with pytest.raises(AssemblyError) as caught:
        assemble(text)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_command_prints_a_listing(tmp_path, capsys):
    path = tmp_path / "program.s"
    path.write_text("loop: JUMP loop\n")
    assert assemble_job.main([str(path)]) == 0
    assert capsys.readouterr().out == "    0  0200000000000000  L0:     JUMP L0\n"


def test_command_names_file_line_and_column(tmp_path, capsys):
    path = tmp_path / "program.s"
    assert assemble_job.main([str(path)]) == 2
    assert capsys.readouterr().err == f"error: {path} cannot be read: No such file or directory\n"
    path.write_text("\n HLT\n")
    assert assemble_job.main([str(path)]) == 2
    error = f"error: {path}, line 2, column 2: there is no instruction HLT: did you mean HALT?\n"
    assert capsys.readouterr().err == error
