"""SPICE netlist of a crossbar with its wires, for any circuit simulator of the SPICE family.

The circuit is that of `golden.array.wires`, drawn there. The deck solves the operating point and
prints the column currents; it is written for ngspice (`ngspice -b array.sp`), and the circuit
itself uses nothing but R and V elements.
"""

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from golden.array.circuit import (
    Floats,
    Resistances,
    WireOhms,
    check_conductances,
    check_resistances,
    check_voltages,
)
from spec.errors import UserError


def netlist(
    G: ArrayLike,
    v: ArrayLike,
    **wires: Unpack[WireOhms],
) -> str:
    """Return the netlist of one array, driven from its rows.

    Nodes are ``w<row>_<column>`` on word lines and ``b<row>_<column>`` on bit lines, ``in<row>``
    at the drivers and ``out<column>`` at the virtual grounds. Where a wire is ideal its two
    nodes are one, which has the name of the one nearer the terminal (SPICE knows no resistor of
    0 ohm). Open cells (0 S) are left out. The current of column c is that of ``Vout<c>``, positive
    into the virtual ground.

    Parameters
    ----------
    G
        Cell conductances in siemens, [rows, columns].
    v
        Row voltages in volts, [rows].
    wires
        Resistances in ohms, `golden.array.circuit.WireOhms`.

    Raises
    ------
    UserError
        As `golden.array.wires.line_voltages`, and if G is not a single array or v not a single
        vector.
    """
    G = check_conductances(G)
    v = check_voltages(v, G)
    if G.ndim != 2 or v.ndim != 1:
        raise UserError(
            f"conductances of shape {G.shape} and voltages of shape {v.shape} are several "
            "circuits; a netlist holds one array [rows, columns] and one vector [rows]"
        )
    ohms = check_resistances(G, **wires)
    lines = crossbar(G, ohms)
    lines += ["", "* Row voltages and virtual grounds"]
    lines += [f"Vin{row} in{row} 0 DC {volts!r}" for row, volts in enumerate(v.tolist())]
    columns = range(G.shape[1])
    lines += [f"Vout{column} out{column} 0 DC 0" for column in columns]
    lines += ["", ".options reltol=1e-12 abstol=1e-18 vntol=1e-15 gmin=1e-30", ".control"]
    lines += ["set numdgt=15", "op", *(f"print i(Vout{column})" for column in columns)]
    lines += ["quit", ".endc", ".end", ""]
    return "\n".join(lines)


def crossbar(G: Floats, ohms: Resistances) -> list[str]:
    """Return the elements of an array between its terminals ``in<row>`` and ``out<column>``.

    Parameters
    ----------
    G
        Cell conductances in siemens, [rows, columns].
    ohms
        Of the wires.
    """
    rows, columns = G.shape

    lines = [
        f"* Crossbar of {rows} x {columns} cells",
        f"* word lines: {ohms.driver!r} ohm at the driver, {ohms.word!r} ohm between cells",
        f"* bit lines: {ohms.bit!r} ohm between cells, {ohms.sense!r} ohm at the virtual ground",
    ]
    word: dict[tuple[int, ...], str] = {}
    bit: dict[tuple[int, ...], str] = {}
    lines += ["", "* Word lines: the resistor on the driver's side of each node"]
    for row in range(rows):
        cells = [(row, column) for column in range(columns)]
        lines += _line(f"in{row}", "w", cells, ohms.driver, ohms.word, word)
    lines += ["", "* Bit lines: the resistor on the virtual ground's side of each node"]
    for column in range(columns):
        cells = [(row, column) for row in reversed(range(rows))]
        lines += _line(f"out{column}", "b", cells, ohms.sense, ohms.bit, bit)
    lines += ["", "* Cells"]
    for cell, siemens in np.ndenumerate(G):
        if siemens > 0:
            lines.append(f"Rg{_index(cell)} {word[cell]} {bit[cell]} {float(1 / siemens)!r}")
    return lines


def _line(
    terminal: str,
    kind: str,
    cells: list[tuple[int, int]],
    first: float,
    segment: float,
    nodes: dict[tuple[int, ...], str],
) -> list[str]:
    """Return the resistors of a line from its terminal to its end; enter its nodes in `nodes`."""
    resistors = []
    node, ohms = terminal, first
    for cell in cells:
        if ohms > 0:
            resistors.append(f"R{kind}{_index(cell)} {node} {kind}{_index(cell)} {ohms!r}")
            node = f"{kind}{_index(cell)}"
        nodes[cell] = node
        ohms = segment
    return resistors


def _index(cell: tuple[int, ...]) -> str:
    return "_".join(map(str, cell))
