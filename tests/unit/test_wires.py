"""Wire resistance: exact nodal analysis, ngspice and badcrossbar as witnesses, and the invariants
of a passive reciprocal network.
"""

import logging
import re
import subprocess
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.array.spice import netlist
from golden.array.wires import effective_matrix, line_voltages, solve_nonlinear
from tests.support import nodal
from tests.support.tools import needs_ngspice

LOWEST, HIGHEST = 1e-6, 1e-4
NAMES = "r_word", "r_bit", "r_driver", "r_sense"


def uniform(ohms: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, ohms)


def random_array(*shape: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(LOWEST, HIGHEST, shape), rng.uniform(0, 1, shape[:-1])


def crossbar(G, r_word, r_bit, r_driver, r_sense):
    """Return the circuit as a list of resistors for `nodal.solve`."""
    rows, columns = G.shape
    for k in range(rows):
        for c in range(columns):
            yield (f"w{k},{c - 1}" if c else f"in{k}"), f"w{k},{c}", r_word if c else r_driver
            last = k == rows - 1
            below = f"out{c}" if last else f"b{k + 1},{c}"
            yield f"b{k},{c}", below, r_sense if last else r_bit
            if G[k, c]:
                yield f"w{k},{c}", f"b{k},{c}", 1 / G[k, c]


def exact(G, row_volts, column_volts, wires):
    """Return word and bit node voltages and the currents into row and column terminals."""
    sources = {f"in{k}": v for k, v in enumerate(row_volts)}
    sources |= {f"out{c}": v for c, v in enumerate(column_volts)}
    volts, into = nodal.solve(crossbar(G, **wires), sources)
    nodes = [
        np.array([[volts[f"{line}{k},{c}"] for c in range(G.shape[1])] for k in range(G.shape[0])])
        for line in "wb"
    ]
    rows = np.array([into[f"in{k}"] for k in range(G.shape[0])])
    return *nodes, rows, np.array([into[f"out{c}"] for c in range(G.shape[1])])


@st.composite
def small_arrays(draw):
    """Arrays up to 3 x 4 with open cells, and wires that are ideal, usual or very bad."""
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    cell = st.one_of(st.just(0.0), st.floats(LOWEST, HIGHEST))
    cells = draw(st.lists(cell, min_size=rows * columns, max_size=rows * columns))
    ohms = st.one_of(st.just(0.0), st.floats(-3, 6).map(lambda x: 10.0**x))
    return np.reshape(cells, (rows, columns)), {name: draw(ohms) for name in NAMES}


def volts(size: int):
    return st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=size, max_size=size)


@settings(max_examples=60, deadline=None)
@given(array=small_arrays(), data=st.data())
def test_both_reads_are_those_of_the_exact_network(array, data):
    G, wires = array
    E = effective_matrix(G, **wires)
    v, w = (np.array(data.draw(volts(n))) for n in G.shape)
    *_, currents = exact(G, v, np.zeros(G.shape[1]), wires)
    np.testing.assert_allclose(v @ E, currents, rtol=0, atol=1e-13 * G.sum())
    *_, currents, _ = exact(G, np.zeros(G.shape[0]), w, wires)
    np.testing.assert_allclose(E @ w, currents, rtol=0, atol=1e-13 * G.sum())


@settings(max_examples=30, deadline=None)
@given(array=small_arrays(), data=st.data())
def test_line_voltages_are_those_of_the_exact_network(array, data):
    G, wires = array
    v = np.array(data.draw(volts(len(G))))
    word, bit, _, currents = exact(G, v, np.zeros(G.shape[1]), wires)
    lines = line_voltages(G, v, **wires)
    np.testing.assert_allclose(lines.word, word, rtol=0, atol=1e-13)
    np.testing.assert_allclose(lines.bit, bit, rtol=0, atol=1e-13)
    np.testing.assert_allclose(lines.current, currents, rtol=0, atol=1e-13 * G.sum())


@pytest.mark.parametrize("ohms", [1e-9, 1e-3, 1, 1e3, 1e6])
def test_every_element_keeps_its_digits(ohms):
    # Nodal equations in floating point, with 1 / ohms beside the cells, lose many digits here.
    G = np.geomspace(1e-9, HIGHEST, 9).reshape(3, 3)[[1, 2, 0]]
    wires = {"r_word": ohms, "r_bit": 2 * ohms, "r_driver": 3 * ohms, "r_sense": ohms}
    expected = [exact(G, unit, np.zeros(3), wires)[-1] for unit in np.eye(3)]
    np.testing.assert_allclose(effective_matrix(G, **wires), expected, rtol=1e-13)


@st.composite
def arrays(draw):
    """Seeded arrays up to 24 x 24 with a tenth of the cells open, and wires up to 10 kilohm."""
    rows, columns, seed = (draw(st.integers(1, high)) for high in (24, 24, 1000))
    G, v = random_array(rows, columns, seed=seed)
    G[np.random.default_rng(seed).random(G.shape) < 0.1] = 0
    return G, v, {name: 10.0 ** draw(st.floats(-1, 4)) for name in NAMES}


@settings(max_examples=40, deadline=None)
@given(arrays())
def test_no_node_gains_or_loses_current(array):
    G, v, wires = array
    word, bit, current = line_voltages(G, v, **wires)
    cell = G * (word - bit)
    from_left = -np.diff(word, axis=1, prepend=v[:, None]) / wires["r_word"]
    from_left[:, 0] *= wires["r_word"] / wires["r_driver"]
    to_below = -np.diff(bit, axis=0, append=0) / wires["r_bit"]
    to_below[-1] *= wires["r_bit"] / wires["r_sense"]
    # What is left is the rounding of node voltages, seen through the best conducting wire.
    rounding = 1e-13 / min(wires.values()) + 1e-13 * G.sum()
    word_balance = from_left - cell - np.pad(from_left, ((0, 0), (0, 1)))[:, 1:]
    bit_balance = np.pad(to_below, ((1, 0), (0, 0)))[:-1] + cell - to_below
    assert np.abs(word_balance).max() < rounding
    assert np.abs(bit_balance).max() < rounding
    np.testing.assert_allclose(current, to_below[-1], rtol=0, atol=rounding)
    rounding = 1e-14 * G.sum()
    assert cell.sum() == pytest.approx(current.sum(), rel=1e-11, abs=rounding)
    found = v @ effective_matrix(G, **wires)
    np.testing.assert_allclose(current, found, rtol=1e-11, atol=rounding)


@settings(max_examples=40, deadline=None)
@given(arrays())
def test_array_seen_from_its_other_terminals_is_the_transpose(array):
    # The same circuit, turned so that its bit lines are the word lines: another march altogether.
    G, _, wires = array
    turned = {
        "r_word": wires["r_bit"],
        "r_bit": wires["r_word"],
        "r_driver": wires["r_sense"],
        "r_sense": wires["r_driver"],
    }
    E = effective_matrix(G, **wires)
    seen = effective_matrix(G[::-1, ::-1].T, **turned)[::-1, ::-1]
    # What reaches a column round an open cell is the small difference of large currents.
    np.testing.assert_allclose(seen, E.T, rtol=1e-11, atol=1e-14 * E.max())


@settings(max_examples=40, deadline=None)
@given(arrays())
def test_wires_only_take_current(array):
    G, _, wires = array
    E = effective_matrix(G, **wires)
    assert E.min() >= -1e-14 * E.max()
    # Rounding apart, a row drives no more than its cells with ideal wires, a column takes no more.
    assert (E.sum(axis=0) <= G.sum(axis=0) * (1 + 1e-14)).all()
    assert (E.sum(axis=1) <= G.sum(axis=1) * (1 + 1e-14)).all()


def run_ngspice(deck: str) -> np.ndarray:
    command = ["ngspice", "-b", "/dev/stdin"]
    run = subprocess.run(
        command, input=deck, capture_output=True, text=True, timeout=60, check=True
    )
    currents = re.findall(r"^i\(vout\d+\) = (\S+)$", run.stdout, re.MULTILINE)
    return np.array(currents, dtype=float)


@needs_ngspice
@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("ohms", [0.1, 1, 10])
def test_currents_are_those_of_ngspice(size, ohms):
    G, v = random_array(size, size)
    wires = {"r_word": ohms, "r_bit": 1.5 * ohms, "r_driver": 5 * ohms, "r_sense": 2 * ohms}
    currents = run_ngspice(netlist(G, v, **wires))
    np.testing.assert_allclose(v @ effective_matrix(G, **wires), currents, rtol=1e-11)
    np.testing.assert_allclose(line_voltages(G, v, **wires).current, currents, rtol=1e-11)


# The last one is far beyond use: a march without restarts has lost every digit there.
@pytest.mark.parametrize(
    "rows, columns, ohms",
    [(n, n, ohms) for n in (64, 128) for ohms in (0.1, 1, 10)] + [(71, 64, 1e5)],
)
def test_lines_and_currents_are_those_of_badcrossbar(rows, columns, ohms):
    with warnings.catch_warnings(record=True):  # its plotting wants a library not needed here
        badcrossbar = pytest.importorskip("badcrossbar", reason="badcrossbar is not installed")
    logging.getLogger("badcrossbar").setLevel(logging.WARNING)
    G, v = random_array(rows, columns)
    solution = badcrossbar.compute(v[:, None], 1 / G, ohms, node_voltages=True)
    currents = solution.currents.output[0]
    lines = line_voltages(G, v, **uniform(ohms))
    np.testing.assert_allclose(v @ effective_matrix(G, **uniform(ohms)), currents, rtol=1e-10)
    np.testing.assert_allclose(lines.current, currents, rtol=1e-10)
    np.testing.assert_allclose(lines.word, solution.voltages.word_line, rtol=0, atol=1e-11)
    np.testing.assert_allclose(lines.bit, solution.voltages.bit_line, rtol=0, atol=1e-11)


def test_ideal_wires_leave_the_conductances():
    G, v = random_array(2, 5, 7)
    E = effective_matrix(G)
    np.testing.assert_array_equal(E, G)
    assert E.flags.c_contiguous
    lines = line_voltages(G, v)
    np.testing.assert_allclose(lines.word, np.broadcast_to(v[..., None], G.shape), rtol=1e-15)
    np.testing.assert_allclose(lines.bit, 0, atol=1e-15)


def test_single_cell_is_a_series_circuit():
    E = effective_matrix([[2e-5]], r_word=7, r_bit=8, r_driver=30, r_sense=20)
    np.testing.assert_allclose(E, [[1 / (5e4 + 50)]], rtol=1e-15)


def test_leading_dimensions_are_separate_arrays():
    wires = {"r_word": 20.0, "r_bit": 3000.0, "r_driver": 0.0, "r_sense": 50.0}
    G, v = random_array(2, 3, 6, 5)
    v = np.stack([v, -2 * v, v**2, v - 1], axis=2)
    E = effective_matrix(G, **wires)
    lines = line_voltages(G, v, **wires)
    assert E.shape == G.shape
    assert E.flags.c_contiguous
    assert lines.word.shape == lines.bit.shape == (2, 3, 4, 6, 5)
    np.testing.assert_allclose(lines.current, v @ E, rtol=1e-11)
    for at in np.ndindex(2, 3):
        np.testing.assert_array_equal(E[at], effective_matrix(G[at], **wires))
        for vector in range(4):
            alone = line_voltages(G[at], v[at][vector], **wires)
            np.testing.assert_allclose(lines.word[at][vector], alone.word, rtol=1e-12, atol=1e-15)


def sinh_cells(per_volt):
    return lambda G, u: (G * np.sinh(per_volt * u) / per_volt, G * np.cosh(per_volt * u))


@needs_ngspice
@pytest.mark.parametrize("per_volt, ohms", [(1.0, 1.0), (2.0, 100.0), (6.0, 1000.0)])
def test_nonlinear_cells_are_those_of_ngspice(per_volt, ohms):
    G, v = random_array(8, 8)
    v = np.stack([v, -v[::-1]])
    wires = {"r_word": ohms, "r_bit": 2 * ohms, "r_driver": 0.0, "r_sense": ohms}
    currents = solve_nonlinear(G, sinh_cells(per_volt), v, **wires).current
    for vector, current in zip(v, currents, strict=True):
        deck = re.sub(
            r"^Rg(\S+) (\S+) (\S+) (\S+)$",
            rf"Bg\1 \2 \3 I = sinh({per_volt} * V(\2, \3)) / ({per_volt} * \4)",
            netlist(G, vector, **wires),
            flags=re.MULTILINE,
        )
        assert deck.count("sinh") == G.size
        np.testing.assert_allclose(current, run_ngspice(deck), rtol=1e-9)


@pytest.mark.parametrize("per_volt, ohms", [(0.5, 1.0), (3.0, 30.0), (10.0, 1000.0)])
def test_nonlinear_cells_obey_their_law_and_kirchhoff(per_volt, ohms):
    G, _ = random_array(2, 16, 12)
    G[0, 3, 4] = 0
    v = np.random.default_rng(1).uniform(-1, 1, (2, 5, 16))
    curve = sinh_cells(per_volt)
    word, bit, current = solve_nonlinear(G, curve, v, **uniform(ohms))
    cell, _ = curve(G[:, None], word - bit)
    largest = np.abs(current).max()
    np.testing.assert_allclose(cell.sum(axis=-2), current, rtol=0, atol=1e-9 * largest)
    into_rows = (v - word[..., 0]) / ohms
    np.testing.assert_allclose(cell.sum(axis=-1), into_rows, rtol=0, atol=1e-9 * largest)


def test_linear_cells_need_no_iteration():
    G, v = random_array(9, 7)
    expected = line_voltages(G, v, **uniform(100))
    found = solve_nonlinear(G, lambda G, u: (G * u, G), v, **uniform(100), iterations=2)
    for name in expected._fields:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-14)


def test_nonlinear_solution_that_is_not_reached_is_no_answer():
    G, v = random_array(8, 8)
    with pytest.raises(ArithmeticError, match=r"after 2 iterations, more than 1\.0e-10 of the"):
        solve_nonlinear(G, sinh_cells(8.0), v, **uniform(1000), iterations=2)


@pytest.mark.parametrize("curve", [lambda G, u: (G * u, -G), lambda G, u: (G / 0.0 * u, G)])
def test_impossible_curve_is_refused(curve):
    G, v = random_array(3, 3)
    with (
        np.errstate(divide="ignore", invalid="ignore"),
        pytest.raises(ValueError, match="the current-voltage curve has a negative slope or a"),
    ):
        solve_nonlinear(G, curve, v, r_word=1.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ohms", [-1.0, np.nan, np.inf])
def test_impossible_resistance_is_refused(name, ohms):
    message = rf"{name} is {ohms:g} ohm; it must be finite and 0 or more \(0 is an ideal line\)"
    with pytest.raises(ValueError, match=message):
        effective_matrix([[1e-5]], **{name: ohms})


def test_isolating_resistance_is_refused():
    message = (
        "r_bit is 2e.10 ohm, which isolates the array: it must be at most 1e.10 ohm, 1e.05 times"
    )
    with pytest.raises(ValueError, match=message):
        effective_matrix([[1e-6, 1e-5]], r_bit=2e10)


@pytest.mark.parametrize("siemens", [-1e-6, np.nan, np.inf])
def test_impossible_conductance_is_refused(siemens):
    G = np.full((2, 3), 1e-5)
    G[1, 2] = siemens
    message = rf"conductance of cell \(1, 2\) is {siemens:g} S; it must be finite and 0 or more"
    with pytest.raises(ValueError, match=message):
        effective_matrix(G, r_word=1.0)


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (3, 0)])
def test_array_without_cells_is_refused(shape):
    with pytest.raises(ValueError, match=r"they must be \[\.\.\., rows, columns\] with at least"):
        effective_matrix(np.ones(shape))


def test_voltages_that_do_not_fit_are_refused():
    G = np.full((2, 4, 3), 1e-5)
    for shape in [(4,), (2, 3), (3, 4), ()]:
        with pytest.raises(ValueError, match=r"they must be \[2, \.\.\., 4\], the last dimension"):
            line_voltages(G, np.ones(shape))
    with pytest.raises(ValueError, match="a voltage is nan V; voltages must be finite"):
        line_voltages(G, np.full((2, 4), np.nan))
