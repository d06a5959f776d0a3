"""Assemble a program and print its listing: `ohmulator assemble FILE`."""

from collections.abc import Sequence
from pathlib import Path

from ohmulator import cli
from spec.assembly import AssemblyError, assemble, disassemble
from spec.errors import UserError
from spec.files import named, read_text


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("assemble")
    parser.add_argument("program", type=Path, metavar="FILE", help="assembly text")
    path = parser.read(argv).program
    text = read_text(path)
    try:
        words = assemble(text)
    except AssemblyError as error:
        raise UserError(f"{named(path)}, {error}") from None
    lines = disassemble(words).splitlines()
    listing = enumerate(zip(words, lines, strict=True))
    cli.say("\n".join(f"{address:5}  {word:016x}  {line}" for address, (word, line) in listing))
    return 0
