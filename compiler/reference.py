"""The reference document of the machine, generated from its definitions."""

import argparse
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from compiler import assembler
from golden import cli, isa, scheduler
from golden.isa import (
    CHIP_COUNTERS,
    DESCRIPTOR_FIELDS,
    HOLDING_FIELDS,
    INSTRUCTION_FIELDS,
    OPERATIONS,
    TILE_COUNTERS,
    Counter,
    ErrorCode,
    Field,
    Immediate,
    Opcode,
    Space,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "machine.md"


def reference() -> str:
    """Return the document as Markdown."""
    parts = [
        "# The machine",
        "Written by `make docs` from `golden/isa.py`, `golden/scheduler.py` and "
        "`compiler/assembler.py`.",
        _text(isa),
        "## Encoding",
        _fields(INSTRUCTION_FIELDS),
        "`zero`, and all fields that an instruction does not use, must be 0.",
        "## Instructions",
        "V[x] is the word of the vector memory at address x; i runs from 0 to n - 1. Operands are "
        "in the order of the assembler. Cycles count from one fetch to the next; w is "
        "ceil(n / `lanes`).",
        _table(
            ["code", "instruction", "does", "operands allowed, else OPERAND", "cycles"],
            [_operation(opcode) for opcode in Opcode],
        ),
        "What the immediate says: "
        + "; ".join(f"*{i.name.lower()}*, {i.value}" for i in Immediate if i.name != "NONE")
        + ".",
        "## Products",
        _text(scheduler),
        "MVM takes, if its tiles hold all of its blocks, at most the sum of these over its rounds, "
        "with m = ceil(max(`rows`, `columns`) / `lanes`) times the tiles of the round, and 12:",
        "    2 m + latency_cycles + (n - 1) max(planes plane_cycles, m) + 12",
        "The tiles set the pace as long as m is at most planes plane_cycles: choose `lanes` so.",
        "## Spaces",
        inspect.cleandoc(Space.__doc__ or "").partition("\n\n")[2],
        _table(["space", "name", "holds"], [[str(s.value), s.name, s.summary] for s in Space]),
        "A write to a descriptor makes all tiles forget the blocks of its matrix: write weights "
        "first, it after them. The host writes HOLDING when it has set conductances by other means "
        "than programming.",
        "Words of a descriptor, of a matrix [rows, columns] whose weights stand row by row:",
        _fields(DESCRIPTOR_FIELDS),
        "Words of HOLDING:",
        _fields(HOLDING_FIELDS),
        "## Errors",
        _table(["code", "name", "means"], [[str(e.value), e.name, e.summary] for e in ErrorCode]),
        "## Counters",
        "Since reset, of the chip and then of each tile, in this order:",
        _counters("chip", CHIP_COUNTERS),
        _counters("tile", TILE_COUNTERS),
        "## Assembler",
        _text(assembler),
    ]
    return "\n\n".join(parts) + "\n"


def _text(module: ModuleType) -> str:
    """Return the docstring of a module but its first line, which says what the file is."""
    return inspect.cleandoc(module.__doc__ or "").partition("\n\n")[2]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _fields(fields: Sequence[Field]) -> str:
    rows, position = [], 0
    for field in fields:
        bits = f"{position + field.width - 1}:{position}"
        rows.append([bits, f"`{field.name}`", field.summary])
        position += field.width
    return _table(["bits", "field", "holds"], rows)


def _counters(owner: str, counters: Sequence[Counter]) -> str:
    rows = [[f"`{c.name}`", c.summary + (", time" if c.timed else "")] for c in counters]
    return _table([owner, "counts"], rows)


def _operation(opcode: Opcode) -> list[str]:
    operation = OPERATIONS[opcode]
    operands = list(operation.scalars)
    if operation.immediate is not Immediate.NONE:
        operands.append(f"*{operation.immediate.name.lower()}*")
    cycles = "see Products" if opcode is Opcode.MVM else str(operation.base_cycles)
    if operation.beat_cycles:
        cycles += f" + {operation.beat_cycles if operation.beat_cycles > 1 else ''} w".replace(
            "  ", " "
        )
    return [
        f"{opcode.value:#04x}",
        f"{opcode.name} {', '.join(operands)}".rstrip(),
        operation.semantics,
        operation.limits,
        cycles,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="compiler.reference", description="Write the reference document of the machine."
    )
    parser.add_argument("--out", type=Path, default=DOCUMENT, help=f"file (default: {DOCUMENT})")
    args = parser.parse_args()
    cli.write_whole(args.out, reference())
    print(f"wrote {args.out}")


if __name__ == "__main__":
    cli.run(main)
