"""The netlist of a design: what drives its ports, and what its inputs drive."""

import json
from typing import Any

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil
from amaranth.lib import wiring

SCRIPT = """
read_rtlil <<rtlil
{design}
rtlil
hierarchy -top top
proc
flatten
memory_collect
write_json
"""


class Netlist:
    """Ports and cells of a design, flat and as it was written: nothing is optimised."""

    def __init__(self, design: wiring.Component):
        text = SCRIPT.format(design=rtlil.convert(design, name="top", emit_src=False))
        printed = find_yosys(lambda version: True).run(["-q", "-"], text)
        module = json.loads(printed)["modules"]["top"]
        self.ports: dict[str, Any] = module["ports"]
        self.cells: dict[str, Any] = module["cells"]
        self._drivers = {
            bit: cell["type"]
            for cell in self.cells.values()
            for port, bits in cell["connections"].items()
            if _direction(cell, port) == "output"
            for bit in bits
        }

    def drivers(self, bits: list[Any]) -> set[str]:
        """Return the types of the cells that drive some bits, `none` among them if none does."""
        return {self._drivers.get(bit, "none") for bit in bits}

    def chain(self, bit: Any) -> int:
        """Return the number of flip-flops that a bit passes before anything else reads it."""
        length = 0
        while True:
            readers = [
                (cell, port, bits.index(bit))
                for cell in self.cells.values()
                for port, bits in cell["connections"].items()
                if _direction(cell, port) == "input" and bit in bits
            ]
            if len(readers) != 1 or readers[0][0]["type"] != "$dff" or readers[0][1] != "D":
                return length
            cell, _, at = readers[0]
            bit = cell["connections"]["Q"][at]
            length += 1


def _direction(cell: Any, port: str) -> str:
    """Return the direction of a port of a cell; of black boxes none is known."""
    return cell.get("port_directions", {}).get(port, "")
