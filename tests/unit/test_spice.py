"""The netlist read back: its circuit, solved exactly, carries the currents of the array model."""

import re

import numpy as np
import pytest

from golden.array.spice import netlist
from golden.array.wires import effective_matrix
from tests.support import nodal

G = np.array([[1e-6, 2e-5, 3e-6], [0, 1e-4, 5e-5]])
V = np.array([0.25, -1.0])


def column_currents(deck: str) -> list[float]:
    """Solve the deck's R and V elements; return the currents of the Vout sources in order."""
    elements = [line.split() for line in deck.splitlines() if re.match("[RV]", line)]
    resistors = [(a, b, float(ohms)) for _, a, b, ohms in (e for e in elements if e[0][0] == "R")]
    sources = {e[1]: float(e[4]) for e in elements if e[0][0] == "V"}
    assert all(ohms > 0 for *_, ohms in resistors), "SPICE replaces 0 ohm by some other value"
    assert len({e[0].lower() for e in elements}) == len(elements), "two elements share a name"
    assert all(e[2:4] == ["0", "DC"] for e in elements if e[0][0] == "V")
    _, into = nodal.solve(resistors, sources)
    return [into[f"out{c}"] for c in range(G.shape[1])]


@pytest.mark.parametrize("r_word", [0.0, 2.5])
@pytest.mark.parametrize("r_bit", [0.0, 300.0])
@pytest.mark.parametrize("r_driver", [0.0, 1e3])
@pytest.mark.parametrize("r_sense", [0.0, 0.1])
def test_deck_is_the_circuit(r_word, r_bit, r_driver, r_sense):
    wires = {"r_word": r_word, "r_bit": r_bit, "r_driver": r_driver, "r_sense": r_sense}
    expected = V @ effective_matrix(G, **wires)
    np.testing.assert_allclose(column_currents(netlist(G, V, **wires)), expected, rtol=1e-12)


def test_deck_is_readable():
    deck = netlist(G, V, r_word=2.5, r_bit=3.0, r_driver=10.0).splitlines()
    assert deck[:3] == [
        "* Crossbar of 2 x 3 cells",
        "* word lines: 10.0 ohm at the driver, 2.5 ohm between cells",
        "* bit lines: 3.0 ohm between cells, 0.0 ohm at the virtual ground",
    ]
    assert {"Rw0_0 in0 w0_0 10.0", "Rw1_2 w1_1 w1_2 2.5", "Rb0_1 out1 b0_1 3.0"} <= set(deck)
    assert {"Rg1_1 w1_1 out1 10000.0", "Vin1 in1 0 DC -1.0", "print i(Vout2)"} <= set(deck)
    assert not any(line.startswith("Rg1_0") for line in deck), "an open cell is no element"


def test_only_one_circuit_fits_a_deck():
    with pytest.raises(ValueError, match=r"shape \(2, 2, 3\) and .* are several circuits"):
        netlist(np.stack([G, G]), np.stack([V, V]))
    with pytest.raises(ValueError, match=r"voltages of shape \(4, 2\) are several circuits"):
        netlist(G, np.tile(V, (4, 1)))
    with pytest.raises(ValueError, match="r_sense is -1 ohm"):
        netlist(G, V, r_sense=-1.0)
