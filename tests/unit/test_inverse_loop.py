"""The loop of an inversion, with ngspice as the witness: where it settles, how, and if it does."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from golden.inverse.limited import limited
from golden.inverse.loop import Loop, close
from golden.inverse.terminals import admittance
from golden.inverse.transient import Transient
from spec.amplifiers import AmplifierPhysics
from spec.physics import WirePhysics
from tests.support import loop_deck, nodal
from tests.support.tools import needs_ngspice

LEVEL_S = 5e-6
NO_WIRES = WirePhysics()
WIRES = WirePhysics(r_word_ohm=20.0, r_bit_ohm=30.0, r_driver_ohm=100.0, r_sense_ohm=50.0)
PLAIN = AmplifierPhysics(open_loop_gain=1e3)
REAL = AmplifierPhysics(open_loop_gain=1e4, inverter_hz=2e9, output_ohm=100.0, node_f=0.3e-12)


class Circuit:
    """A loop around random cells, whose matrix is not symmetric."""

    def __init__(self, size, wires=NO_WIRES, amplifiers=PLAIN, diagonal=(1.0, 2.5), seed=0):
        rng = np.random.default_rng(seed)
        cells = np.rint(3 * rng.standard_normal((size, size))).clip(-7, 7)
        np.fill_diagonal(cells, 7)
        self.g_s = 0.5e-6 * rng.uniform(0.8, 1.2, (size, 2 * size))
        self.g_s[:, 0::2] += np.maximum(cells, 0) * LEVEL_S
        self.g_s[:, 1::2] += np.maximum(-cells, 0) * LEVEL_S
        self.feedback_s = rng.uniform(*diagonal, size) * size * LEVEL_S
        self.input_s = 4 * LEVEL_S
        self.drive_v = 0.1 * rng.standard_normal(size)
        self.offset_v = 1e-3 * rng.standard_normal(size)
        self.wires, self.amplifiers, self.size = wires, amplifiers, size

    @property
    def system_s(self):
        return self.g_s[:, 0::2] - self.g_s[:, 1::2] + np.diag(self.feedback_s)

    def loop(self) -> Loop:
        crossbar = admittance(self.g_s, self.wires)
        return close(crossbar, self.feedback_s, self.input_s, self.amplifiers)

    def elements(self, offset_v):
        return loop_deck.elements(
            self.g_s,
            self.feedback_s,
            self.input_s,
            self.amplifiers,
            self.wires,
            self.drive_v,
            offset_v,
        )


CIRCUITS = {
    "ideal lines": {},
    "wires": {"wires": WIRES},
    "slow inverters": {"amplifiers": REAL},
    "wires and slow inverters": {"wires": WIRES, "amplifiers": REAL},
}
each_circuit = pytest.mark.parametrize("kind", CIRCUITS)


@needs_ngspice
@each_circuit
@pytest.mark.parametrize("size", [1, 3, 16])
def test_it_settles_where_ngspice_does(kind, size):
    circuit = Circuit(size, **CIRCUITS[kind])
    transient = Transient(circuit.loop())
    volts = transient.final @ circuit.drive_v + transient.by_offset @ circuit.offset_v
    found = loop_deck.operating_point(circuit.elements(circuit.offset_v), size)
    np.testing.assert_allclose(volts, found, rtol=0, atol=1e-9 * np.abs(found).max())


@needs_ngspice
@each_circuit
def test_it_settles_as_ngspice_does(kind):
    circuit = Circuit(5, **CIRCUITS[kind], seed=1)
    transient = Transient(circuit.loop())
    final = transient.final @ circuit.drive_v
    band = 1e-3 * np.abs(final).max()
    course = transient.course(circuit.drive_v[:, None], band)
    still = circuit.elements(0 * circuit.offset_v)
    times, volts = loop_deck.transient(still, circuit.size, 2 * course.settled_s, 2000)
    for at in range(0, len(times), 150):
        model = transient.at(times[at]) @ circuit.drive_v
        np.testing.assert_allclose(volts[at], model, rtol=0, atol=band)
    left = np.abs(volts - final).max(axis=1) > band
    assert course.settled_s == pytest.approx(times[left].max(), rel=0.05)
    assert course.peaks_v.max() == pytest.approx(np.abs(volts).max(), rel=0.01)


@needs_ngspice
def test_one_that_rings_settles_late_in_both():
    slow = AmplifierPhysics(open_loop_gain=1e4, node_f=0.5e-12, inverter_hz=1e9)
    circuit = Circuit(4, amplifiers=slow, seed=4)
    loop = circuit.loop()
    values = np.linalg.eigvals(loop.dynamics)
    slowest = values[values.real.argmax()]
    assert abs(slowest.imag) > 3 * abs(slowest.real), "it rings"
    transient = Transient(loop)
    final = transient.final @ circuit.drive_v
    band = 1e-2 * np.abs(final).max()
    course = transient.course(circuit.drive_v[:, None], band)
    still = circuit.elements(0 * circuit.offset_v)
    times, volts = loop_deck.transient(still, circuit.size, 1.5 * course.settled_s, 3000)
    left = np.abs(volts - final).max(axis=1) > band
    assert course.settled_s == pytest.approx(times[left].max(), rel=0.05)


@needs_ngspice
def test_one_that_does_not_settle_is_told_and_saturates_in_both():
    circuit = Circuit(4, diagonal=(-2.0, -1.5), seed=2)
    circuit.feedback_s = np.zeros(4)
    circuit.g_s[:, [0, 1]] = circuit.g_s[:, [1, 0]]
    loop = circuit.loop()
    assert loop.abscissa > 0
    seconds = 30 / loop.abscissa
    volts = limited(loop, circuit.drive_v, 0 * circuit.drive_v, 1.0, seconds)
    assert np.abs(volts).max() == pytest.approx(1.0, rel=2e-3)
    _, found = loop_deck.transient(circuit.elements(0 * circuit.offset_v), 4, seconds, 2000)
    np.testing.assert_allclose(found[-1], volts, rtol=0, atol=2e-3)


@needs_ngspice
def test_one_that_saturates_on_the_way_is_the_same_in_both():
    weak = AmplifierPhysics(open_loop_gain=1e4, saturation_v=0.01, node_f=0.5e-12)
    circuit = Circuit(4, amplifiers=weak, seed=4)
    loop = circuit.loop()
    seconds = 10e-9
    volts = limited(loop, circuit.drive_v, circuit.offset_v, 0.01, seconds)
    free = Transient(loop).at(seconds) @ circuit.drive_v
    assert np.abs(free).max() > 0.012 > np.abs(volts).max()
    _, found = loop_deck.transient(circuit.elements(circuit.offset_v), 4, seconds, 2000)
    np.testing.assert_allclose(found[-1], volts, rtol=0, atol=2e-5)


def test_it_solves_the_system_whose_equations_are_the_rows():
    circuit = Circuit(6)
    system = circuit.system_s
    right = -np.linalg.solve(system, circuit.input_s * circuit.drive_v)
    wrong = -np.linalg.solve(system.T, circuit.input_s * circuit.drive_v)
    volts = Transient(circuit.loop()).final @ circuit.drive_v
    off = np.abs(volts - right).max() / np.abs(right).max()
    assert off < 20 / PLAIN.open_loop_gain
    assert np.abs(volts - wrong).max() / np.abs(right).max() > 0.1


def test_gain_and_conductances_explain_what_is_off_without_wires():
    circuit = Circuit(6)
    loads = circuit.g_s.sum(axis=1) + circuit.feedback_s + circuit.input_s
    exact = circuit.system_s + np.diag(loads) / PLAIN.open_loop_gain
    volts = -np.linalg.solve(exact, circuit.input_s * circuit.drive_v)
    found = Transient(circuit.loop()).final @ circuit.drive_v
    np.testing.assert_allclose(found, volts, rtol=1e-12)


@pytest.mark.parametrize("wires", [NO_WIRES, WIRES])
def test_terminals_carry_the_currents_of_the_network(wires):
    rng = np.random.default_rng(5)
    g_s = rng.uniform(1e-6, 4e-5, (3, 4))
    found = admittance(g_s, wires)
    v, p = rng.standard_normal(3), rng.standard_normal(4)
    ohms = wires.r_word_ohm, wires.r_bit_ohm, wires.r_driver_ohm, wires.r_sense_ohm
    words, bits = nodal_currents(g_s, v, p, *(max(ohm, 1e-7) for ohm in ohms))
    tolerance = 1e-9 if wires.resistive else 1e-5
    np.testing.assert_allclose(found.word @ v - found.transfer @ p, words, rtol=tolerance)
    np.testing.assert_allclose(found.bit @ p - found.transfer.T @ v, bits, rtol=tolerance)


def nodal_currents(g_s, v, p, r_word, r_bit, r_driver, r_sense):
    """Return the currents into the word lines and the bit lines of an array, node by node."""
    rows, columns = g_s.shape
    resistors = []
    for i, j in np.ndindex(rows, columns):
        resistors.append((f"w{i}_{j}", f"b{i}_{j}", 1 / g_s[i, j]))
        left = f"w{i}_{j - 1}" if j else f"in{i}"
        resistors.append((left, f"w{i}_{j}", r_word if j else r_driver))
        below = f"b{i + 1}_{j}" if i < rows - 1 else f"out{j}"
        resistors.append((f"b{i}_{j}", below, r_bit if i < rows - 1 else r_sense))
    sources = {f"in{i}": v[i] for i in range(rows)} | {f"out{j}": p[j] for j in range(columns)}
    _, into = nodal.solve(resistors, sources)
    return [-into[f"in{i}"] for i in range(rows)], [-into[f"out{j}"] for j in range(columns)]


def test_a_transient_is_the_matrix_exponential():
    loop = Circuit(5, amplifiers=REAL).loop()
    transient = Transient(loop)
    for seconds in (1e-10, 3e-9, 1e-7):
        size = len(loop.dynamics)
        whole = np.block([[loop.dynamics, loop.drive], [np.zeros((5, size + 5))]])
        states = expm(whole * seconds)[:size, size:]
        np.testing.assert_allclose(transient.at(seconds), loop.outputs @ states, atol=1e-9)


def test_the_worst_drive_is_as_slow_and_as_high_as_any():
    transient = Transient(Circuit(4, amplifiers=REAL, seed=6).loop())
    worst = transient.worst(0.2, 1e-4)
    signs = np.array(np.meshgrid(*[[-0.2, 0.2]] * 4)).reshape(4, -1)
    course = transient.course(signs, 1e-4)
    # Every drive that is worst for an output at some time is among these.
    assert worst.settled_s == pytest.approx(course.settled_s, rel=0.05)
    assert worst.peaks_v.sum(axis=1).max() * 0.2 >= 0.999 * course.peaks_v.max()


def test_what_does_not_saturate_is_as_the_linear_loop_has_it():
    circuit = Circuit(5, amplifiers=REAL)
    loop = circuit.loop()
    constant = loop.drive @ circuit.drive_v + loop.offset @ circuit.offset_v
    done = solve_ivp(
        lambda _, s: loop.dynamics @ s + constant,
        (0, 2e-8),
        np.zeros(len(constant)),
        method="Radau",
        rtol=1e-9,
        atol=1e-13,
    )
    found = limited(loop, circuit.drive_v, circuit.offset_v, 1.0, 2e-8)
    np.testing.assert_allclose(found, loop.outputs @ done.y[:, -1], atol=1e-6)
