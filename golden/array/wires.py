"""Wire resistance of a crossbar, exactly.

A crossbar of `rows` x `columns` cells hangs on two sets of resistive lines::

    v[0] --r_driver--*--r_word--*--r_word--*        word line 0
                     G          G          G        cells, from word line to bit line
    v[1] --r_driver--*--r_word--*--r_word--*        word line 1
                     G          G          G
                     |          |          |        bit lines: r_bit between neighbouring rows,
                  r_sense    r_sense    r_sense     r_sense below the last row
                     |          |          |
                    0 V        0 V        0 V       virtual grounds, currents i[0], i[1], i[2]

Word lines are driven beside column 0, bit lines are sensed below the last row. The network is
linear, so the currents are ``i = v @ E`` with one matrix E of the shape of G, and a product costs
no more than with ideal lines. By reciprocity the same E serves the transposed read: with voltages
w on the bit-line terminals and the word-line terminals at virtual ground, the word-line currents
are ``E @ w`` (each terminal keeps its own resistance, whichever side drives).

Resistances may be zero: the line, or the terminal, is ideal then. A cell of zero conductance is
open. badcrossbar's circuit, with its `r_i_word_line` and `r_i_bit_line` on every segment and at
the terminals too, is ``r_driver = r_word`` and ``r_sense = r_bit``.

How it is computed
------------------
Set all sources to zero and look at the array from its bit lines. A word line whose cells see the
bit-line voltages u takes from them the currents S u, with S = (diag(1/g) + R)^-1 and R[i, j] the
resistance that the paths from the driver to cells i and j share. The bit lines then obey, from
row to row downwards,

    j <- j + S[k] u        current that flows up the bit lines, below row k
    u <- u + r_bit j       voltage at row k + 1 (or at the terminal, with r_sense)

which starts at the open upper ends with j = 0. Marching all unit vectors u at once gives the
matrix W from upper-end voltages to terminal voltages and, on the way, the currents that arrive in
the sources: 1' S[k] U[k] in row k. Reciprocity makes those the rows of E W. A word line is a
ladder, so S[k] U[k] costs only columns^2 operations, the march rows x columns^2, and W is
factorised once. Eliminating line after line by dense blocks would cost rows x columns^3.

Two things keep the digits:

- In nodal equations a cell's conductance drowns beside the 1/r of the wires. Here the ladder is
  eliminated from its far end by sums, products and quotients of positive numbers alone, and 1/r
  occurs only in a divisor, where nothing has to survive beside it (`_Array`).
- U grows by about exp(sqrt(r_bit g)) per row, and its inverse never exceeds 1 in the maximum norm
  (a passive network attenuates). Before U passes `GROWTH` the march starts afresh from the
  admittance matrix J U^-1 that the rows above present (`_Array.segments`), so rounding is never
  amplified by more. Five hundred rows at 1 ohm and 100 uS need no restart; each costs about
  as much as ten rows of the march.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.linalg.lapack import dpttrs

from golden.array.circuit import (
    Floats,
    Lines,
    Resistances,
    WireOhms,
    check_conductances,
    check_resistances,
    check_voltages,
)
from spec.errors import UserError, require_integer, require_number

GROWTH = 1e3
"""Bound on the amplification of rounding errors within one segment of the march."""


def effective_matrix(
    G: ArrayLike,
    **wires: Unpack[WireOhms],
) -> Floats:
    """Return the matrix E, in siemens, of column currents ``v @ E`` for row voltages v.

    Parameters
    ----------
    G
        Cell conductances in siemens, [..., rows, columns]; leading dimensions are separate arrays.
    wires
        Resistances in ohms, `golden.array.circuit.WireOhms`.

    Returns
    -------
    E of the shape of G, C-contiguous. With every resistance zero it is G. Its transposed read,
    driven from the columns, is ``E @ w``.

    Raises
    ------
    UserError
        If a conductance or a resistance is negative or not finite, if a resistance exceeds
        `ISOLATION` times that of the most conductive cell, or if G has no cells.
    """
    G = check_conductances(G)
    ohms = check_resistances(G, **wires)
    E = np.empty(G.shape)
    for stack in np.ndindex(G.shape[:-2]):
        E[stack] = _Array(G[stack], ohms).effective_matrix()
    return E


def line_voltages(
    G: ArrayLike,
    v: ArrayLike,
    **wires: Unpack[WireOhms],
) -> Lines:
    """Return the voltages of all line nodes and the column currents for row voltages v.

    Many vectors in one call share the elimination, which is most of the work.

    Parameters
    ----------
    G
        Cell conductances in siemens, [stack..., rows, columns].
    v
        Row voltages in volts, [stack..., vectors..., rows].
    wires
        Resistances in ohms, `golden.array.circuit.WireOhms`.

    Returns
    -------
    `Lines` with leading dimensions [stack..., vectors...].

    Raises
    ------
    UserError
        As `effective_matrix`, and if v is not finite or does not fit G.
    """
    G, v, ohms = _check_circuit(G, v, wires)

    def solve(G: Floats, v: Floats) -> Lines:
        array = _Array(G, ohms)
        return array.lines(list(array.segments()), v)

    return _for_each_array(solve, G, v)


def _check_circuit(
    G: ArrayLike, v: ArrayLike, wires: WireOhms
) -> tuple[Floats, Floats, Resistances]:
    """Return conductances, row voltages and resistances of an array, checked."""
    G = check_conductances(G)
    return G, check_voltages(v, G), check_resistances(G, **wires)


def solve_nonlinear(
    G: ArrayLike,
    iv: Callable[[Floats, Floats], tuple[Floats, Floats]],
    v: ArrayLike,
    *,
    tolerance: float = 1e-10,
    iterations: int = 100,
    **wires: Unpack[WireOhms],
) -> Lines:
    """Return line voltages and column currents of an array of non-linear cells.

    Newton's method. The Jacobian is a linear array whose cells have the present slopes. All vectors
    share it, with each cell in the middle of its range of slopes, and keep it while the change
    falls to a quarter or less per iteration; vectors too unlike for that are solved one by one.

    Parameters
    ----------
    G
        Cell conductances in siemens, [stack..., rows, columns]: the first argument of `iv`.
    iv
        ``iv(G, u) -> (current, slope)``: cell currents in amperes and their derivatives in siemens
        for one array G [rows, columns] at cell voltages u [vectors, rows, columns] (word-line node
        minus bit-line node), both of the shape of u. The slope must not be negative.
    v
        Row voltages in volts, [stack..., vectors..., rows].
    wires
        Resistances in ohms, `golden.array.circuit.WireOhms`.
    tolerance
        The iteration ends when no cell voltage changes by more than this share of the largest
        row voltage.
    iterations
        Bound on the number of iterations.

    Returns
    -------
    `Lines` with leading dimensions [stack..., vectors...].

    Raises
    ------
    UserError
        As `line_voltages`, and if `iv` returns a negative slope or anything that is not finite.
    ArithmeticError
        If the tolerance is not reached.
    """
    G, v, ohms = _check_circuit(G, v, wires)
    tolerance = require_number("tolerance", tolerance, 1e-14, 1.0, "of the largest voltage")
    iterations = require_integer("iterations", iterations, 1, 1 << 20)

    def solve(G: Floats, v: Floats) -> Lines:
        ideal = np.repeat(v[:, :, None], G.shape[1], axis=2)
        return _newton(G, iv, ohms, tolerance, iterations, v, ideal)

    return _for_each_array(solve, G, v)


def _for_each_array(solve: Callable[[Floats, Floats], Lines], G: Floats, v: Floats) -> Lines:
    """Collect solve(G [rows, columns], v [vectors, rows]) over the stack of G."""
    stack, (rows, columns) = G.shape[:-2], G.shape[-2:]
    lead = v.shape[:-1]
    vectors = int(np.prod(lead[len(stack) :]))
    nodes = (*lead, rows, columns)
    word, bit, current = np.empty(nodes), np.empty(nodes), np.empty((*lead, columns))
    for at in np.ndindex(stack) if vectors else ():
        one = solve(G[at], v[at].reshape(vectors, rows))
        word[at] = one.word.reshape(word[at].shape)
        bit[at] = one.bit.reshape(bit[at].shape)
        current[at] = one.current.reshape(current[at].shape)
    return Lines(word, bit, current)


@dataclass(frozen=True)
class _Segment:
    """Rows `start` to `stop` of the march, all sources zero, in terms of the voltages above them.

    Vectors of bit-line nodes are rows of matrices throughout: u at the start is a row vector.
    """

    start: int
    stop: int
    admittance: Floats
    """u @ admittance: currents up the bit lines into the rows above `start`."""
    factors: tuple[Floats, NDArray[np.int32]]
    """LU factors of U: u @ U are the voltages below `stop`."""
    arrivals: Floats
    """u @ arrivals: currents that arrive in the sources of the segment's rows."""


class _Array:
    """One array, its columns in reverse, so that a word line begins at its open end.

    Seen from bit-line voltages u, the ladder of a word line is eliminated towards the driver. y is
    the admittance of what lies beyond a node together with its own cell, r the resistance of the
    segment from the node towards the driver, and t = 1 / (1 + r y) the share of a voltage that
    remains behind that segment. The word-line voltages x then are the solution of L D L' x = g u
    with L unit lower bidiagonal with -t below its diagonal, and D = 1/r + y. D serves as a divisor
    only: where a segment is ideal it is infinite, and rightly holds the node on its neighbour.
    """

    def __init__(self, G: Floats, wires: Resistances) -> None:
        self.wires = wires
        self.rows, self.columns = G.shape
        self.G = np.ascontiguousarray(G[:, ::-1])
        r = np.full(self.columns, wires.word)
        r[-1] = wires.driver
        y = self.G.copy()
        t = np.empty_like(y)
        for column in range(self.columns):
            if column:
                y[:, column] += y[:, column - 1] * t[:, column - 1]
            t[:, column] = 1 / (1 + r[column] * y[:, column])
        with np.errstate(divide="ignore"):
            self.divisor = 1 / r + y
        self.below = -t[:, :-1]
        # Currents out of a source at 1 V into grounded bit lines: row sums of S.
        self.row_sums = self.G * np.cumprod(t[:, ::-1], axis=1)[:, ::-1]

    def step(self, row: int, u: Floats, j: Floats, drive: Floats | float) -> Floats:
        """March u and j [vectors, columns] in place from `row` to the next row or the terminals.

        Cells see u - drive. Returns the word-line voltages relative to the source, same shape.
        """
        cell = u - drive
        word: Floats = cell * self.G[row]
        if self.columns > 1:
            word = dpttrs(self.divisor[row], self.below[row], word.T, overwrite_b=True)[0].T
        else:
            word /= self.divisor[row]
        cell -= word
        cell *= self.G[row]
        j += cell
        np.multiply(j, self.below_resistance(row), out=cell)
        u += cell
        return word

    def below_resistance(self, row: int) -> float:
        """Return the resistance of the bit line below `row`."""
        return self.wires.bit if row < self.rows - 1 else self.wires.sense

    def segments(self) -> Iterator[_Segment]:
        """March all unit vectors down the rows, afresh whenever they may have grown too much."""
        largest = self.G.max(axis=1)
        start = 0
        admittance = np.zeros((self.columns, self.columns))
        while start < self.rows:
            U, J = np.eye(self.columns), admittance.copy()
            arrivals = []
            # Bounds of U and J in the maximum norm; that of S is at most twice its largest cell.
            u_bound, j_bound = 1.0, float(np.abs(J).sum(axis=0).max())
            for row in range(start, self.rows):
                j_bound += 2 * largest[row] * u_bound
                u_bound += self.below_resistance(row) * j_bound
                if u_bound > GROWTH and row > start:
                    break
                arrivals.append(U @ self.row_sums[row])
                self.step(row, U, J, 0.0)
            stop = start + len(arrivals)
            factors = lu_factor(U, check_finite=False)
            yield _Segment(start, stop, admittance, factors, np.stack(arrivals, axis=1))
            admittance = lu_solve(factors, J, overwrite_b=True, check_finite=False)
            start = stop

    def effective_matrix(self) -> Floats:
        """Return E [rows, columns]."""
        arrivals = np.empty((self.columns, 0))
        for segment in self.segments():
            arrivals = np.hstack([arrivals, segment.arrivals])
            arrivals = lu_solve(segment.factors, arrivals, check_finite=False)
        return arrivals[::-1].T

    def lines(self, segments: list[_Segment], v: Floats, emf: Floats | None = None) -> Lines:
        """Solve for sources v [vectors, rows] and voltages emf [vectors, rows, columns] in cells.

        A cell's current is G (word - bit + emf). First the sources march down alone, from u = 0 at
        the start of each segment; then, upwards, every segment learns its true u.
        """
        drive = v[:, :, None] if emf is None else v[:, :, None] + emf[:, :, ::-1]
        shape = len(v), self.columns
        p, j = np.zeros(shape), np.zeros(shape)
        ends = []
        for segment in segments:
            q = j - p @ segment.admittance
            p, j = np.zeros(shape), q.copy()
            for row in range(segment.start, segment.stop):
                self.step(row, p, j, drive[:, row])
            ends.append((p, q))

        word, bit = np.empty((2, len(v), self.rows, self.columns))
        current = u = np.zeros(shape)
        for segment, (p, q) in zip(reversed(segments), reversed(ends), strict=True):
            u = lu_solve(segment.factors, (u - p).T, trans=1, check_finite=False).T
            end, j = u.copy(), u @ segment.admittance + q
            for row in range(segment.start, segment.stop):
                bit[:, row] = end
                word[:, row] = v[:, row, None] + self.step(row, end, j, drive[:, row])
            if segment is segments[-1]:
                current = -j
        return Lines(word[..., ::-1], bit[..., ::-1], current[:, ::-1])


def _newton(
    G: Floats,
    iv: Callable[[Floats, Floats], tuple[Floats, Floats]],
    wires: Resistances,
    tolerance: float,
    iterations: int,
    v: Floats,
    cell: Floats,
) -> Lines:
    """Solve one array of non-linear cells for v [vectors, rows] from cell voltages `cell`."""
    largest = float(np.abs(v).max(initial=0.0))
    change, refresh = np.inf, True
    for _ in range(iterations):
        current, slope = (np.broadcast_to(values, cell.shape) for values in iv(G, cell))
        if not (np.isfinite(current).all() and np.isfinite(slope).all() and (slope >= 0).all()):
            raise UserError(
                "the current-voltage curve has a negative slope or a value that is not finite "
                f"at cell voltages up to {np.abs(cell).max():.3g} V; it must rise and stay finite "
                "up to the row voltages"
            )
        if refresh:
            tangent = (slope.max(axis=0) + slope.min(axis=0)) / 2
            array = _Array(tangent, wires)
            segments = list(array.segments())
        emf = np.divide(current, tangent, out=cell.copy(), where=tangent > 0) - cell
        lines = array.lines(segments, v, emf)
        before, change = change, float(np.abs(lines.word - lines.bit - cell).max(initial=0.0))
        cell = lines.word - lines.bit
        if change <= tolerance * largest:
            return lines
        slow = change > before / 4
        if slow and refresh and len(v) > 1:
            each = [
                _newton(G, iv, wires, tolerance, iterations, v[n : n + 1], cell[n : n + 1])
                for n in range(len(v))
            ]
            return Lines(*map(np.concatenate, zip(*each, strict=True)))
        refresh = slow
    raise ArithmeticError(
        f"cell voltages still change by {change:.1e} V after {iterations} iterations, more than "
        f"{tolerance:.1e} of the largest row voltage, {largest:.3g} V: allow more iterations, or "
        "lower the voltages or the wire resistances"
    )
