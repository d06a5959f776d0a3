"""The solver of the wires at its limits, and how much work it does."""

import numpy as np
import pytest

from golden.array.circuit import Resistances
from golden.array.wires import _Array, effective_matrix, line_voltages, solve_nonlinear
from spec.errors import UserError

G = np.random.default_rng(0).uniform(1e-6, 3e-5, (12, 5))
V = np.linspace(-0.2, 0.2, 12)


def ohmic(g_s, u):
    return g_s * u, g_s


def bounds(rows: np.ndarray, bit: float, sense: float, admittance: np.ndarray) -> list[float]:
    """Return how much the march over rows from the last one on may grow, after each."""
    u, j, found = 1.0, np.abs(admittance).sum(axis=0).max(), []
    for row, cells in enumerate(rows):
        j += 2 * cells.max() * u
        u += (sense if row == len(rows) - 1 else bit) * j
        found.append(u)
    return found


@pytest.mark.parametrize("bit", [0.0, 1.0, 300.0, 3e3, 3e4, 3e6, 3e8])
def test_the_march_is_cut_where_it_could_grow_a_thousandfold(bit):
    """And nowhere else: a segment has one row, or ends where one more would pass the bound."""
    wires = Resistances(word=10.0, bit=bit, driver=5.0, sense=70.0)
    segments = list(_Array(G, wires).segments())
    assert [each.start for each in segments] == [0, *(each.stop for each in segments[:-1])]
    assert segments[-1].stop == len(G)
    for each in segments:
        grown = bounds(G[each.start :], bit, 70.0, each.admittance)
        length = each.stop - each.start
        assert length == 1 or grown[length - 1] <= 1e3
        assert each.stop == len(G) or grown[length] > 1e3
        assert each.arrivals.shape == (G.shape[1], length)
    if bit in (0.0, 3e8):
        assert len(segments) == (1 if bit == 0 else len(G))


def test_tolerance_and_iterations_reach_to_their_ends():
    for tolerance, iterations in [(1e-14, 1 << 20), (1.0, 1)]:
        arguments = {"tolerance": tolerance, "iterations": iterations, "r_bit": 10.0}
        found = solve_nonlinear(G, ohmic, V, **arguments).current
        np.testing.assert_allclose(found, line_voltages(G, V, r_bit=10.0).current, rtol=1e-6)
    for name, values in {"tolerance": (0.9e-14, 1.1), "iterations": (0, (1 << 20) + 1)}.items():
        for value in values:
            with pytest.raises(UserError, match=f"{name} must be"):
                solve_nonlinear(G, ohmic, V, **{name: value})


@pytest.mark.parametrize("ohms", [0.0, 1e5 / 3e-5])
def test_resistances_reach_from_nothing_to_what_isolates(ohms):
    cells = np.array([[0.0, 3e-5]])
    assert effective_matrix(cells, r_word=ohms).shape == (1, 2)
    assert effective_matrix(np.zeros((1, 2)), r_word=1e300).tolist() == [[0, 0]]
    with pytest.raises(UserError, match=r"r_word is .* ohm, which isolates the array"):
        effective_matrix(cells, r_word=1e5 / 3e-5 * (1 + 1e-12))
    with pytest.raises(UserError, match="r_word is -1e-300 ohm"):
        effective_matrix(cells, r_word=-1e-300)


@pytest.mark.parametrize("row", [1, 5, 9])
def test_the_march_is_cut_at_a_thousand_and_not_before(row):
    """Resistances are those at which the bound is reached at this row, a little less or more."""
    low, high = 1.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        grown = bounds(G, middle, 0.0, np.zeros((5, 5)))[row]
        low, high = (middle, high) if grown < 1e3 else (low, middle)
    for share, stop in [(0.9999, row + 1), (1.0001, row)]:
        first = next(_Array(G, Resistances(10.0, low * share, 5.0, 0.0)).segments())
        assert first.stop == stop


# Calls of the curve and tangents, of one vector, by steepness per volt and ohms of the wires.
WORK = {
    (5, 3.0): (3, 1),
    (15, 300.0): (7, 3),
    (25, 30.0): (15, 1),
    (25, 300.0): (11, 3),
    (35, 30.0): (10, 3),
    (40, 300.0): (11, 6),
}


@pytest.mark.parametrize(("per_volt", "ohms"), WORK)
def test_newton_keeps_its_tangent_while_the_change_falls_to_a_quarter(per_volt, ohms, monkeypatch):
    """More often, or less, it would take other steps to where it ends."""
    calls, made = [], []
    begin = _Array.__init__
    monkeypatch.setattr(_Array, "__init__", lambda *a: (made.append(len(calls)), begin(*a))[1])

    def curve(g_s, u):
        calls.append(len(u))
        return g_s * np.sinh(per_volt * u) / per_volt, g_s * np.cosh(per_volt * u)

    found = solve_nonlinear(G, curve, V[None], r_word=ohms, r_bit=ohms)
    assert (len(calls), len(made)) == WORK[per_volt, ohms]
    # Cells obey their law: what leaves is what they carry.
    carried = curve(G, found.word - found.bit)[0].sum(axis=1)
    np.testing.assert_allclose(found.current, carried, rtol=1e-6)


def test_vectors_too_unlike_are_solved_one_by_one():
    """Six are solved together three times, then each alone."""
    calls = []

    def curve(g_s, u):
        calls.append(len(u))
        return g_s * np.sinh(30 * u) / 30, g_s * np.cosh(30 * u)

    v = V * np.linspace(1, 0.8, 6)[:, None]
    found = solve_nonlinear(G, curve, v, r_word=30.0, r_bit=30.0)
    assert calls == [6] * 4 + [1] * 20
    for n in range(6):
        alone = solve_nonlinear(G, curve, v[n], r_word=30.0, r_bit=30.0, tolerance=1e-14)
        np.testing.assert_allclose(found.current[n], alone.current, rtol=1e-8)
