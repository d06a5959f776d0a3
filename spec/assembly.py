"""Assembler and disassembler.

A line holds a label, an instruction or a definition, or nothing; a semicolon begins a comment:

    n = 8                   ; a symbol for a number, ...
    total = s1              ; ... or for a scalar
            SET s0, n - 1
    again:  ADDI total, total, 0x10
            LOOP s0, again
            HALT

Operands are those of the reference: scalars first, the immediate last. Numbers are decimal, 0x hex
or 0b binary, and may be added and subtracted. Symbols may be used before they are defined, but
not in definitions. `.word NUMBER` puts any 64 bits in the place of an instruction.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from spec.errors import UserError, require, shown
from spec.instruction import Instruction
from spec.isa import (
    INSTRUCTION_BITS,
    OPERATIONS,
    SCALARS,
    WORD_RANGE,
    Immediate,
    MachineError,
    Opcode,
)

_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)(?![0-9A-Za-z_])"
    r"|(?P<name>\.?[A-Za-z_][0-9A-Za-z_]*)"
    r"|(?P<sign>[-+,:=])"
)


LONGEST_TOKEN = 100
"""Characters of a name or number: no value needs as many, and messages repeat them."""


class Token(NamedTuple):
    """A piece of a line: `kind` is number, name or end, or the sign itself."""

    kind: str
    text: str
    line: int
    column: int


class AssemblyError(UserError):
    """The text is not a program; the message begins with line and column, counted from 1."""

    def __init__(self, token: Token, message: str):
        super().__init__(f"line {token.line}, column {token.column}: {message}")
        self.line = token.line
        self.column = token.column


class Scalar(int):
    """The number of a scalar, as the value of a symbol."""


def assemble(text: str) -> list[int]:
    """Return the 64-bit words of a program.

    Raises
    ------
    AssemblyError
        At the first thing that cannot be understood, or does not fit its field.
    UserError
        If it is no text.
    """
    require(isinstance(text, str), f"a program must be text, not {shown(text)}")
    symbols: dict[str, int] = {f"s{number}": Scalar(number) for number in range(SCALARS)}
    statements: list[tuple[Token, list[list[Token]]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        tokens = list(_tokens(line, number))
        while tokens[0].kind == "name" and tokens[1].kind == ":":
            _define(symbols, tokens[0], len(statements))
            tokens = tokens[2:]
        first, second, *rest = tokens
        if first.kind == "name" and second.kind == "=":
            operands = _operands(rest)
            _check_count(first, operands, ["value"])
            _define(symbols, first, _evaluate(symbols, operands[0]))
        elif first.kind == "name":
            statements.append((first, _operands(tokens[1:])))
        elif first.kind != "end":
            raise AssemblyError(first, f"a line cannot begin with {first.text!r}")
    return [_encode(symbols, *statement) for statement in statements]


def disassemble(words: Iterable[int]) -> str:
    """Return the text of a program, which assembles to the same words.

    Raises
    ------
    UserError
        If a word does not have 64 bits.
    """
    words = list(words)
    instructions = [_decode(word) for word in words]
    targets = {
        instruction.immediate
        for instruction in instructions
        if instruction and OPERATIONS[instruction.opcode].immediate is Immediate.TARGET
    }
    labels = targets & set(range(len(words)))
    lines = []
    for address, (word, instruction) in enumerate(zip(words, instructions, strict=True)):
        label = f"L{address}:" if address in labels else ""
        body = f".word {word:#018x}" if instruction is None else describe(instruction, labels)
        lines.append(f"{label:<8}{body}\n")
    return "".join(lines)


def describe(instruction: Instruction, labels: Collection[int] = ()) -> str:
    """Return the text of one instruction; a target that is among `labels` as L and its address."""
    operation = OPERATIONS[instruction.opcode]
    operands = [f"s{getattr(instruction, name)}" for name in operation.scalars]
    if operation.immediate is not Immediate.NONE:
        label = operation.immediate is Immediate.TARGET and instruction.immediate in labels
        operands.append(f"{'L' if label else ''}{instruction.immediate}")
    return f"{instruction.opcode.name} {', '.join(operands)}".rstrip()


def _decode(word: int) -> Instruction | None:
    try:
        return Instruction.decode(word)
    except MachineError:
        return None


def _tokens(line: str, number: int) -> Iterator[Token]:
    """Yield the tokens of a line, `end` twice at its end, so that there is always a next one."""
    line = line.partition(";")[0].rstrip()
    position = 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if not match:
            wrong = Token("wrong", line[position], number, position + 1)
            raise AssemblyError(wrong, f"{wrong.text!r} does not begin a number, name or sign")
        kind = str(match.lastgroup)
        if kind != "space":
            if len(match[0]) > LONGEST_TOKEN:
                token = Token(kind, match[0], number, position + 1)
                raise AssemblyError(
                    token,
                    f"a {kind} of {len(match[0])} characters is too long: write at most "
                    f"{LONGEST_TOKEN}",
                )
            yield Token(match[0] if kind == "sign" else kind, match[0], number, position + 1)
        position = match.end()
    yield from [Token("end", "end of line", number, len(line) + 1)] * 2


def _define(symbols: dict[str, int], name: Token, value: int) -> None:
    if name.text in symbols:
        raise AssemblyError(name, f"{name.text} is defined already")
    symbols[name.text] = value


def _operands(tokens: list[Token]) -> list[list[Token]]:
    """Split the rest of a line at its commas; the last token of each operand is what ends it."""
    operands: list[list[Token]] = [[]]
    for token in tokens[:-1]:
        operands[-1].append(token)
        if token.kind == ",":
            operands.append([])
    return [] if operands[0][0].kind == "end" else operands


def _evaluate(symbols: dict[str, int], tokens: list[Token]) -> int:
    """Return the value of an operand."""
    total, sign, complete = 0, 1, False
    for token in tokens[:-1]:
        if token.kind in ("+", "-"):
            sign = (1 if complete else sign) * (1 if token.kind == "+" else -1)
            complete = False
        elif complete or token.kind not in ("number", "name"):
            raise AssemblyError(token, f"{token.text!r} cannot stand here")
        else:
            value = _value(symbols, token)
            if isinstance(value, Scalar):
                if len(tokens) > 2:
                    raise AssemblyError(token, f"{token.text} is a scalar and must stand alone")
                return value
            total += sign * value
            complete = True
    if not complete:
        raise AssemblyError(tokens[-1], f"expected a value before {tokens[-1].text!r}")
    return total


def _value(symbols: dict[str, int], token: Token) -> int:
    if token.kind == "number":
        # Leading zeros of a decimal number, which int(text, 0) refuses, mean nothing.
        return int(token.text, 0 if token.text[1:2].isalpha() else 10)
    if token.text not in symbols:
        raise AssemblyError(token, f"{token.text} is not defined{_hint(token.text, symbols)}")
    return symbols[token.text]


def _encode(symbols: dict[str, int], name: Token, operands: list[list[Token]]) -> int:
    """Return the word of an instruction."""
    if name.text == ".word":
        _check_count(name, operands, ["number"])
        return _number(symbols, operands[0], (0, (1 << INSTRUCTION_BITS) - 1))
    mnemonic = name.text.upper()
    if mnemonic not in Opcode.__members__:
        raise AssemblyError(
            name, f"there is no instruction {name.text}{_hint(mnemonic, Opcode.__members__)}"
        )
    opcode = Opcode[mnemonic]
    operation = OPERATIONS[opcode]
    fields = list(operation.scalars)
    if operation.immediate is not Immediate.NONE:
        fields.append("immediate")
    _check_count(name, operands, fields)
    values = {}
    for field, tokens in zip(fields, operands, strict=True):
        if field == "immediate":
            values[field] = _number(symbols, tokens, WORD_RANGE)
        else:
            values[field] = _evaluate(symbols, tokens)
            if not isinstance(values[field], Scalar):
                raise AssemblyError(tokens[0], f"{field} must be a scalar, s0 to s{SCALARS - 1}")
    return Instruction(opcode, **values).encode()


def _check_count(name: Token, operands: list[list[Token]], fields: list[str]) -> None:
    if len(operands) != len(fields):
        wanted = f"{len(fields)} ({', '.join(fields)})" if fields else "none"
        raise AssemblyError(name, f"{name.text} has {len(operands)} operands and needs {wanted}")


def _number(symbols: dict[str, int], tokens: list[Token], bounds: tuple[int, int]) -> int:
    value = _evaluate(symbols, tokens)
    if isinstance(value, Scalar):
        raise AssemblyError(tokens[0], f"{tokens[0].text} is a scalar; a number must stand here")
    if not bounds[0] <= value <= bounds[1]:
        raise AssemblyError(
            tokens[0], f"{shown(value)} is not in the range {bounds[0]} to {bounds[1]}"
        )
    return value


def _hint(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, known, 1)
    return f": did you mean {near[0]}?" if near else ""
