"""A crossbar as seen from all its terminals, wires included."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.array.circuit import WireOhms, wire_ohms
from golden.array.wires import effective_matrix, line_voltages
from spec.physics import WirePhysics

Floats = NDArray[np.float64]


class Admittance(NamedTuple):
    """Short-circuit admittance, in siemens, of a crossbar at its terminals.

    With word-line terminals at voltages v and bit-line terminals at p, the currents into the
    crossbar are `word` v - `transfer` p at the word lines and `bit` p - `transfer`' v at the bit
    lines. Terminal resistances belong to the crossbar.
    """

    word: Floats
    """[rows, rows]; diagonal without wires."""
    bit: Floats
    """[bit lines, bit lines]; diagonal without wires."""
    transfer: Floats
    """[rows, bit lines]."""


def admittance(g_s: Floats, wires: WirePhysics) -> Admittance:
    """Return the admittance of a crossbar of conductances g_s [rows, bit lines] in siemens."""
    if not wires.resistive:
        return Admittance(np.diag(g_s.sum(axis=1)), np.diag(g_s.sum(axis=0)), g_s)
    ohms = wire_ohms(wires)
    # Seen from the bit lines the same network has its rows and columns exchanged, and both in
    # reverse: a bit line begins at the last row, and a word line ends at column 0.
    turned = wire_ohms(
        WirePhysics(
            r_word_ohm=wires.r_bit_ohm,
            r_bit_ohm=wires.r_word_ohm,
            r_driver_ohm=wires.r_sense_ohm,
            r_sense_ohm=wires.r_driver_ohm,
        )
    )
    bit = _driven(g_s[::-1, ::-1].T, turned)[::-1, ::-1]
    return Admittance(_driven(g_s, ohms), bit, effective_matrix(g_s, **ohms))


def _driven(g_s: Floats, ohms: WireOhms) -> Floats:
    """Return the currents [rows, rows] into word lines for one volt on each in turn."""
    lines = line_voltages(g_s, np.eye(len(g_s)), **ohms)
    # What enters a word line leaves it through its cells.
    return ((lines.word - lines.bit) * g_s).sum(axis=2).T
