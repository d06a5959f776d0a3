"""Quantities of a crossbar circuit: what it is given, checked, and what is solved for."""

import sys
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_floats
from spec.errors import UserError, digits, is_number, shown
from spec.physics import WirePhysics

Floats = NDArray[np.float64]

ISOLATION = 1e5
"""Largest product of a wire resistance and a cell conductance: beyond it the array is cut off."""


class Lines(NamedTuple):
    """Voltages of the line nodes at every cell, and the currents that leave the bit lines."""

    word: Floats
    """Word-line node voltages in volts, [..., rows, columns]."""
    bit: Floats
    """Bit-line node voltages in volts, [..., rows, columns]."""
    current: Floats
    """Column currents into the virtual grounds in amperes, [..., columns]."""


def check_conductances(G: ArrayLike) -> Floats:
    """Return G as float64 [..., rows, columns] or raise UserError."""
    G = np.ascontiguousarray(checked_floats("conductances", G))
    if G.ndim < 2 or 0 in G.shape[-2:]:
        raise UserError(
            f"conductances have shape {G.shape}; they must be [..., rows, columns] with at least "
            "one row and one column"
        )
    bad = ~(np.isfinite(G) & (G >= 0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise UserError(
            f"conductance of cell {where} is {digits(G[where])} S; it must be finite and 0 or more "
            "(0 is an open cell)"
        )
    return G


class WireOhms(TypedDict, total=False):
    """Resistances of a circuit's wires in ohms, as functions take them by name; 0 if left out."""

    r_word: float
    """Of a word line between neighbouring cells."""
    r_bit: float
    """Of a bit line between neighbouring cells."""
    r_driver: float
    """Of a word line's terminal, before column 0."""
    r_sense: float
    """Of a bit line's terminal, below the last row."""


def wire_ohms(wires: WirePhysics) -> WireOhms:
    """Return the resistances of configured wires, driven from the rows."""
    return {
        "r_word": wires.r_word_ohm,
        "r_bit": wires.r_bit_ohm,
        "r_driver": wires.r_driver_ohm,
        "r_sense": wires.r_sense_ohm,
    }


class Resistances(NamedTuple):
    """Checked wire resistances in ohms."""

    word: float
    bit: float
    driver: float
    sense: float


def check_resistances(
    G: Floats,
    r_word: float = 0.0,
    r_bit: float = 0.0,
    r_driver: float = 0.0,
    r_sense: float = 0.0,
) -> Resistances:
    """Return the resistances of lines with cells G, or raise UserError naming the bad one."""
    given = {"word": r_word, "bit": r_bit, "driver": r_driver, "sense": r_sense}
    largest = float(G.max(initial=0.0))
    for name, ohms in given.items():
        if not (is_number(ohms) and 0 <= ohms <= sys.float_info.max):
            value = digits(ohms) if isinstance(ohms, float) else shown(ohms)
            raise UserError(
                f"r_{name} is {value} ohm; it must be finite and 0 or more (0 is an ideal line)"
            )
        most = ISOLATION / largest if largest else np.inf
        if ohms > most:
            raise UserError(
                f"r_{name} is {digits(ohms)} ohm, which isolates the array: it must be at most "
                f"{digits(most)} ohm, {ISOLATION:.0e} times the resistance of the "
                "most conductive cell"
            )
    return Resistances(**{name: float(ohms) for name, ohms in given.items()})


def check_voltages(v: ArrayLike, G: Floats) -> Floats:
    """Return v as float64 [stack..., vectors..., rows] of arrays G or raise UserError."""
    v = checked_floats("voltages", v)
    stack, rows = G.shape[:-2], G.shape[-2]
    if v.ndim <= len(stack) or v.shape[-1] != rows or v.shape[: len(stack)] != stack:
        raise UserError(
            f"voltages have shape {v.shape}; for conductances of shape {G.shape} they must be "
            f"[{''.join(f'{n}, ' for n in stack)}..., {rows}], the last dimension being the rows"
        )
    if not np.isfinite(v).all():
        raise UserError(f"a voltage is {v[~np.isfinite(v)][0]} V; voltages must be finite")
    return v
