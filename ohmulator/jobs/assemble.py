"""Assemble a program and print its listing."""

import argparse
from pathlib import Path

from ohmulator import cli
from spec.assembly import AssemblyError, assemble, disassemble
from spec.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="ohmulator.jobs.assemble", description="Assemble a program and print its listing."
    )
    parser.add_argument("program", type=Path, help="assembly text")
    args = parser.parse_args()
    try:
        words = assemble(args.program.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{args.program} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{args.program} is no text: {error}") from None
    except AssemblyError as error:
        raise UserError(f"{args.program}, {error}") from None
    lines = disassemble(words).splitlines()
    for address, (word, line) in enumerate(zip(words, lines, strict=True)):
        print(f"{address:5}  {word:016x}  {line}")


if __name__ == "__main__":
    cli.run(main)
