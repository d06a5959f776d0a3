"""The machine: instructions, products, spaces, errors, counters, packets, registers."""

from collections.abc import Mapping, Sequence

from golden.machine import scheduler
from ohmulator.pages.markdown import table, text
from spec import assembly, framing, isa, packet, registers, tile_link
from spec.counters import CHIP_COUNTERS, COUNTER_BITS, LOOP_COUNTERS, TILE_COUNTERS, Counter
from spec.isa import (
    DESCRIPTOR_FIELDS,
    HOLDING_FIELDS,
    INSTRUCTION_FIELDS,
    OPERATIONS,
    TILE_OPCODES,
    ErrorCode,
    Field,
    Immediate,
    Opcode,
    Space,
)
from spec.packet import HEADER_FIELDS, IDENTITY, STATE_FIELDS, STATUS, Packet
from spec.registers import COUNTER_BASE, FIXED_REGISTERS, address
from spec.tile_link import OUTCOME, TARGET, TILE_MAGIC, TileOperation, TileSpace


def document() -> str:
    """Return the page."""
    parts = [
        "Written from `spec/isa.py`, `golden/machine/scheduler.py`, "
        "`spec/packet.py`, `spec/tile_link.py`, `spec/framing.py`, `spec/registers.py` and "
        "`spec/assembly.py`.",
        text(isa),
        "## Encoding",
        _fields(INSTRUCTION_FIELDS),
        "`zero`, and all fields that an instruction does not use, must be 0.",
        "## Instructions",
        "V[x] is the word of the vector memory at address x; i runs from 0 to n - 1. Operands are "
        "in the order of the assembler. Cycles count from one fetch to the next; w is "
        "ceil(n / `lanes`).",
        table(
            ["code", "instruction", "does", "operands allowed, else OPERAND", "cycles"],
            [_operation(opcode) for opcode in Opcode],
        ),
        "What the immediate says: "
        + "; ".join(f"*{i.name.lower()}*, {i.value}" for i in Immediate if i.name != "NONE")
        + ".",
        "## Products",
        text(scheduler),
        text(scheduler.product_cycles),
        "## Spaces",
        text(Space),
        table(["space", "name", "holds"], [[str(s.value), s.name, s.summary] for s in Space]),
        "A write to a descriptor makes all tiles forget the blocks of its matrix: write weights "
        "first, it after them. The host writes HOLDING when it has set conductances by other means "
        "than programming.",
        "Words of a descriptor, of a matrix [rows, columns] whose weights stand row by row:",
        _fields(DESCRIPTOR_FIELDS),
        "Words of HOLDING:",
        _fields(HOLDING_FIELDS),
        "## Errors",
        f"Codes below {ErrorCode.BUSY} say how a program ended, in the reply to STATUS; 1 to "
        f"{ErrorCode.ABORTED - 1} are errors of an instruction. The others say in an error reply "
        "why a command was refused.",
        table(["code", "name", "means"], [[str(e.value), e.name, e.summary] for e in ErrorCode]),
        "## Counters",
        "Since reset, those of the chip and of each tile t; *time* marks those that the model does "
        f"not have, for which it says 2^{COUNTER_BITS} - 1.",
        _counters("chip", CHIP_COUNTERS),
        _counters("tile", TILE_COUNTERS, len(CHIP_COUNTERS), f" + {len(TILE_COUNTERS)} t"),
        "Each tile of a chip that is `invertible` counts besides, behind those above:",
        table(["name", "counts"], [[f"`{c.name}`", c.summary] for c in LOOP_COUNTERS]),
        "## Packets",
        text(packet),
        "Fields of the header:",
        _fields(HEADER_FIELDS),
        "Commands:",
        table(
            ["type", "command", "payload", "payload of the reply"],
            [_command(kind) for kind in Packet],
        ),
        "Words of the identity, the reply to IDENTIFY:",
        _words(IDENTITY),
        "Words of the status, the reply to STATUS:",
        _words(STATUS),
        "Fields of the state:",
        _fields(STATE_FIELDS),
        "## A tile alone",
        text(tile_link),
        "Spaces:",
        table(["space", "name", "holds"], [[str(s.value), s.name, s.summary] for s in TileSpace]),
        "Operations:",
        table(
            ["number", "operation", "does"],
            [[str(each.value), each.name, each.summary] for each in TileOperation],
        ),
        "Words of TARGET:",
        _words(TARGET, "of TARGET"),
        "Words of OUTCOME:",
        _words(OUTCOME, "of OUTCOME"),
        f"The identity begins with {TILE_MAGIC:#x}.",
        "## Serial line",
        text(framing),
        f"FLAG is {framing.FLAG:#x}, ESCAPE {framing.ESCAPE:#x} and STUFFED {framing.STUFFED:#x}.",
        "## AXI4-Lite registers",
        text(registers),
        _registers(),
        "## Assembler",
        text(assembly),
    ]
    return "\n\n".join(parts) + "\n"


def _fields(fields: Sequence[Field]) -> str:
    rows, position = [], 0
    for field in fields:
        bits = f"{position + field.width - 1}:{position}"
        rows.append([bits if field.width > 1 else str(position), f"`{field.name}`", field.summary])
        position += field.width
    return table(["bits", "field", "holds"], rows)


def _words(words: Mapping[str, str], head: str = "name") -> str:
    rows = [[str(i), f"`{name}`", summary] for i, (name, summary) in enumerate(words.items())]
    return table(["word", head, "holds"], rows)


def _counters(owner: str, counters: Sequence[Counter], first: int = 0, plus: str = "") -> str:
    rows = [
        [f"{number}{plus}", f"`{c.name}`", c.summary + (", *time*" if c.timed else "")]
        for number, c in enumerate(counters, first)
    ]
    return table(["number", owner, "counts"], rows)


def _command(kind: Packet) -> list[str]:
    payload = ", ".join([*kind.arguments, *([kind.data] if kind.data else [])])
    return [f"{kind.value:#04x}", kind.name, payload or "empty", kind.reply]


def _registers() -> str:
    rows = [
        [
            f"{address(name):#05x}",
            f"`{name}`",
            "read, write" if register.writable else "read",
            register.summary,
        ]
        for name, register in FIXED_REGISTERS.items()
    ]
    place = f"{COUNTER_BASE:#05x} + {COUNTER_BITS // 8} k"
    rows.append([place, "", "read", "low, then high word of counter number k"])
    return table(["address", "register", "access", "holds"], rows)


def _operation(opcode: Opcode) -> list[str]:
    operation = OPERATIONS[opcode]
    operands = list(operation.scalars)
    if operation.immediate is not Immediate.NONE:
        operands.append(f"*{operation.immediate.name.lower()}*")
    cycles = "see Products" if opcode in TILE_OPCODES else str(operation.base_cycles)
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
