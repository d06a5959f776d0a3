"""Cells of a top level after Yosys, and their area in NAND2 equivalents; latches are refused.

Cells are counted as Yosys has them before it maps words to gates, and each is taken for what its
textbook circuit takes: ripple-carry adders, array multipliers, trees of multiplexers. Logic that a
synthesiser would share or simplify is counted in full, and no wires or clock trees are. Memories
are counted in bits, since an ASIC has macros for them.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil

from hw.tools.verilog import TOPS
from hw.tools.yosys import refuse_death
from spec.config import ChipConfig
from spec.errors import require

# Cell areas of the FreePDK45 Open Cell Library (X1), in NAND2_X1 of 0.798 um2 (grade M: from
# memory, not checked against the library).
NOT = 0.532 / 0.798
AND = 1.064 / 0.798
XOR = 1.596 / 0.798
MUX = 1.862 / 0.798
DFF = 4.522 / 0.798
FULL_ADDER = 4.256 / 0.798
HALF_ADDER = 2.66 / 0.798

SCRIPT = """
read_rtlil <<rtlil
{design}
rtlil
proc
opt
wreduce
opt
memory_collect
opt_clean
write_json
"""

Widths = Mapping[str, int]


def _compare(w: Widths) -> float:
    return max(w["A"], w["B"]) * XOR + (max(w["A"], w["B"]) - 1) * AND


def _shift(w: Widths) -> float:
    stages = min(w["B"], max(w["A"], w["Y"]).bit_length())
    return max(w["A"], w["Y"]) * stages * MUX


def _flip_flop(*extra: float) -> Callable[[Widths], float]:
    return lambda w: w["Q"] * (DFF + sum(extra))


KINDS: dict[str, dict[str, Callable[[Widths], float]]] = {
    "flip-flops": {
        "$dff": _flip_flop(),
        "$dffe": _flip_flop(MUX),
        "$sdff": _flip_flop(AND),
        "$sdffe": _flip_flop(AND, MUX),
        "$sdffce": _flip_flop(AND, MUX),
    },
    "multiplexers": {
        "$mux": lambda w: w["Y"] * MUX,
        "$pmux": lambda w: w["Y"] * w["S"] * 2 * AND,
        "$bmux": lambda w: (w["A"] - w["Y"]) * MUX,
        "$demux": lambda w: w["Y"] * AND,
        "$shift": _shift,
        "$shiftx": _shift,
        "$shl": _shift,
        "$shr": _shift,
        "$sshl": _shift,
        "$sshr": _shift,
    },
    "adders and comparators": {
        **dict.fromkeys(("$add", "$sub"), lambda w: w["Y"] * FULL_ADDER),
        **dict.fromkeys(("$lt", "$le", "$gt", "$ge"), lambda w: max(w["A"], w["B"]) * FULL_ADDER),
        "$neg": lambda w: w["Y"] * HALF_ADDER,
        **dict.fromkeys(("$eq", "$ne"), _compare),
    },
    "multipliers": {"$mul": lambda w: w["A"] * w["B"] * (AND + FULL_ADDER)},
    "gates": {
        "$not": lambda w: w["Y"] * NOT,
        **dict.fromkeys(("$and", "$or"), lambda w: w["Y"] * AND),
        **dict.fromkeys(("$xor", "$xnor"), lambda w: w["Y"] * XOR),
        **dict.fromkeys(
            ("$reduce_and", "$reduce_or", "$reduce_bool", "$logic_not"),
            lambda w: max(1, w["A"] - 1) * AND,
        ),
        **dict.fromkeys(("$reduce_xor", "$reduce_xnor"), lambda w: max(1, w["A"] - 1) * XOR),
        **dict.fromkeys(("$logic_and", "$logic_or"), lambda w: (w["A"] + w["B"] - 1) * AND),
    },
}
AREAS = {cell: area for kind in KINDS.values() for cell, area in kind.items()}
KIND_OF = {cell: kind for kind, cells in KINDS.items() for cell in cells}


@dataclass
class Area:
    """Parts of a design.

    Attributes
    ----------
    cells, nand2
        Cells, words as one, and NAND2 equivalents, by kind.
    flip_flop_bits, memory_bits
    """

    cells: Counter[str] = field(default_factory=Counter)
    nand2: Counter[str] = field(default_factory=Counter)
    flip_flop_bits: int = 0
    memory_bits: int = 0

    def add(self, other: "Area") -> None:
        self.cells.update(other.cells)
        self.nand2.update(other.nand2)
        self.flip_flop_bits += other.flip_flop_bits
        self.memory_bits += other.memory_bits


def measure(config: ChipConfig, top: str) -> Area:
    """Return the area of a top level.

    Raises
    ------
    UserError
        If there is no such top level.
    ValueError
        If it has a latch, or a cell whose area is not known.
    """
    require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    design = rtlil.convert(TOPS[top](config), name=top, emit_src=False)
    yosys = find_yosys(lambda version: True)
    with refuse_death("count cells"):
        printed = yosys.run(["-q", "-"], SCRIPT.format(design=design))
    modules = json.loads(printed)["modules"]
    return _area(modules, top, {})


def _area(modules: dict[str, Any], name: str, known: dict[str, Area]) -> Area:
    """Return the area of a module with all that is in it."""
    if name in known:
        return known[name]
    area = known[name] = Area()
    for cell in modules[name]["cells"].values():
        kind = cell["type"]
        if kind in modules:
            area.add(_area(modules, kind, known))
        elif kind == "$mem_v2":
            width, size = (int(cell["parameters"][p], 2) for p in ("WIDTH", "SIZE"))
            area.memory_bits += width * size
            area.cells["memories"] += 1
        elif kind in AREAS:
            widths = {port: len(bits) for port, bits in cell["connections"].items()}
            area.cells[KIND_OF[kind]] += 1
            area.nand2[KIND_OF[kind]] += AREAS[kind](widths)  # type: ignore[assignment]
            area.flip_flop_bits += widths["Q"] if KIND_OF[kind] == "flip-flops" else 0
        elif kind not in ("$scopeinfo", "$assert", "$print"):
            raise ValueError(f"{name} has a cell {kind}, which is a latch or unknown")
    return area


def table(areas: Mapping[str, Area]) -> str:
    """Return areas by name as Markdown."""
    lines = [
        "| | " + " | ".join(areas) + " |",
        "| --- |" + " --: |" * len(areas),
    ]

    def row(name: str, values: list[float]) -> None:
        lines.append(f"| {name} | " + " | ".join(f"{value:,.0f}" for value in values) + " |")

    for kind in KINDS:
        row(f"{kind}, cells", [area.cells[kind] for area in areas.values()])
        row(f"{kind}, NAND2", [area.nand2[kind] for area in areas.values()])
    row("flip-flops, bits", [area.flip_flop_bits for area in areas.values()])
    row("memories, bits", [area.memory_bits for area in areas.values()])
    row("**all but memories, NAND2**", [sum(area.nand2.values()) for area in areas.values()])
    return "\n".join(lines)
