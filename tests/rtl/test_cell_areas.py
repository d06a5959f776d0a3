"""Area of cells by their circuits, and of parts that hold parts, counted by hand."""

import pytest

from hw.tools import area


def cell(kind: str, parameters: dict[str, str] | None = None, **widths: int) -> dict:
    connections = {port: [2] * width for port, width in widths.items()}
    return {"type": kind, "parameters": parameters or {}, "connections": connections}


INVERTER, AND, XOR, MUX, REGISTER, FULL, HALF = (
    micrometres / 0.798 for micrometres in (0.532, 1.064, 1.596, 1.862, 4.522, 4.256, 2.66)
)


@pytest.mark.parametrize(
    ("kinds", "widths", "nand2"),
    [
        ("$dff", {"Q": 5, "D": 5}, 5 * REGISTER),
        ("$dffe", {"Q": 5}, 5 * (REGISTER + MUX)),
        ("$sdff", {"Q": 5}, 5 * (REGISTER + AND)),
        ("$sdffe $sdffce", {"Q": 5}, 5 * (REGISTER + AND + MUX)),
        ("$mux", {"A": 3, "B": 3, "S": 1, "Y": 3}, 3 * MUX),
        ("$pmux", {"A": 3, "B": 12, "S": 4, "Y": 3}, 3 * 4 * 2 * AND),
        # Eight words of 3 bits: seven multiplexers a bit.
        ("$bmux", {"A": 24, "S": 3, "Y": 3}, 7 * 3 * MUX),
        ("$demux", {"A": 3, "S": 3, "Y": 24}, 24 * AND),
        # A stage a bit of the amount, as long as it moves anything.
        ("$shift $shiftx $shl $shr $sshl $sshr", {"A": 7, "B": 2, "Y": 5}, 7 * 2 * MUX),
        ("$shift $shl", {"A": 2, "B": 9, "Y": 4}, 4 * 3 * MUX),
        ("$add $sub", {"A": 4, "B": 5, "Y": 6}, 6 * FULL),
        ("$lt $le $gt $ge", {"A": 4, "B": 5, "Y": 1}, 5 * FULL),
        ("$neg", {"A": 4, "Y": 5}, 5 * HALF),
        ("$eq $ne", {"A": 6, "B": 4, "Y": 1}, 6 * XOR + 5 * AND),
        ("$mul", {"A": 6, "B": 4, "Y": 10}, 24 * (AND + FULL)),
        ("$not", {"A": 4, "Y": 4}, 4 * INVERTER),
        ("$and $or", {"A": 4, "B": 4, "Y": 4}, 4 * AND),
        ("$xor $xnor", {"A": 4, "B": 4, "Y": 4}, 4 * XOR),
        ("$reduce_and $reduce_or $reduce_bool $logic_not", {"A": 6, "Y": 1}, 5 * AND),
        ("$reduce_and $reduce_or $reduce_bool $logic_not", {"A": 1, "Y": 1}, AND),
        ("$reduce_xor $reduce_xnor", {"A": 6, "Y": 1}, 5 * XOR),
        ("$reduce_xor $reduce_xnor", {"A": 1, "Y": 1}, XOR),
        ("$logic_and $logic_or", {"A": 3, "B": 4, "Y": 1}, 6 * AND),
    ],
)
def test_cells_take_what_their_circuits_take(kinds, widths, nand2):
    for kind in kinds.split():
        found = area._area({"top": {"cells": {"x": cell(kind, **widths)}}}, "top", {})
        assert sum(found.nand2.values()) == pytest.approx(nand2, rel=1e-12)
        assert sum(found.cells.values()) == 1
        assert found.flip_flop_bits == (5 if "ff" in kind else 0)


def test_parts_count_as_often_as_they_are_there():
    memory = cell("$mem_v2", {"WIDTH": "1010", "SIZE": "110"})
    inner = {"cells": {"r": cell("$dff", Q=2), "m": memory, "s": cell("$scopeinfo")}}
    top = {"cells": {"one": cell("inner"), "two": cell("inner"), "n": cell("$not", Y=3)}}
    found = area._area({"top": top, "inner": inner}, "top", {})
    assert found.cells == {"flip-flops": 2, "memories": 2, "gates": 1}
    assert (found.flip_flop_bits, found.memory_bits) == (4, 120)
    assert sum(found.nand2.values()) == pytest.approx(4 * REGISTER + 3 * INVERTER)
    lines = area.table({"chip": found, "inner": area._area({"inner": inner}, "inner", {})})
    assert lines.splitlines()[:4] == [
        "| | chip | inner |",
        "| --- | --: | --: |",
        "| flip-flops, cells | 2 | 1 |",
        f"| flip-flops, NAND2 | {4 * REGISTER:,.0f} | {2 * REGISTER:,.0f} |",
    ]
    assert lines.splitlines()[-2] == "| memories, bits | 120 | 60 |"
