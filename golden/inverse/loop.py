"""The closed loop that solves a system of equations, as a linear system.

    e[i] --g_in--*-- word line i ---- G+, G- ---- bit lines 2j, 2j+1
                 |                                  |        |
                 +-- F[i] --+                       |        |
                 |          |                    output j    |
                 +--(-)\\    |                       |        |
                 |      >---*-- output i            +--(-1)--+
         (offset)+--(+)/

Word line i is the summing node of op-amp i, whose output drives the positive bit line of column i
and, through an inverter, the negative one. A DAC drives the node through the input conductance, and
a feedback conductance F[i] leads to it from the op-amp's own output. With the admittance of the
crossbar (`golden.inverse.terminals`), node voltages v, outputs p (positive lines) and q (negative
lines) behind the output resistance r, op-amps u and inverters z before it:

    C dv/dt = transfer [p, q] + F p + g_in e - (word + F + g_in) v
    du/dt   = -w (v - offset + u / A)
    dz/dt   = -w' (z + p)                     or z = -p, where the inverters have no delay
    u - p   = r (bit [p, q] - transfer' v + F (p - v)),  z - q likewise without F

Without wires it settles where (G + F) u + (Y + g_in + F) u / A = -g_in e, with G the difference of
positive and negative cells and Y the sum of all of a row: the outputs solve the system whose
equations are the rows of the array, as a transposed product has them, for the negated drive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.inverse.terminals import Admittance
from spec.amplifiers import AmplifierPhysics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Loop:
    """Hold ds/dt = `dynamics` s + `drive` e + `offset` o of a loop of n op-amps; s begins at 0.

    Attributes
    ----------
    dynamics
        [states, states] in 1/s. States are op-amps, inverters with a delay, and summing nodes, all
        in volts.
    outputs
        [n, states]: voltages of the positive bit-line terminals, which the ADCs see.
    drive
        [states, n] in 1/s, of the voltages e that the DACs drive.
    offset
        [states, n] in 1/s, of the input offsets o of the op-amps.
    current
        [states, n] in V/(A s), of currents injected into the summing nodes.
    rate
        w, 2 pi times the gain-bandwidth product, in 1/s.
    """

    dynamics: Floats
    outputs: Floats
    drive: Floats
    offset: Floats
    current: Floats
    rate: float

    @property
    def size(self) -> int:
        """Op-amps of the loop."""
        return self.drive.shape[1]

    @property
    def abscissa(self) -> float:
        """Largest real part of an eigenvalue, in 1/s: the loop is stable if it is negative."""
        return float(np.linalg.eigvals(self.dynamics).real.max())


def close(
    crossbar: Admittance, feedback_s: Floats, input_s: float, amplifiers: AmplifierPhysics
) -> Loop:
    """Return the loop around a crossbar.

    Parameters
    ----------
    crossbar
        Of n word lines and 2 n bit lines, positive and negative in turn.
    feedback_s
        Feedback conductances [n] in siemens.
    input_s
        Input conductance in siemens.
    amplifiers
        Of the op-amps and inverters.
    """
    n = len(crossbar.word)
    order = np.concatenate([np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2)])
    transfer = crossbar.transfer[:, order]
    bit = crossbar.bit[np.ix_(order, order)]
    feedback = np.hstack([np.diag(feedback_s), np.zeros((n, n))])
    delayed = bool(amplifiers.inverter_hz)

    # Outputs [p, q] = by_source @ sources + by_node @ v, with sources u and, if delayed, z.
    ohm, one = amplifiers.output_ohm, np.eye(2 * n)
    load = ohm * bit
    load[:n] += ohm * feedback
    inside = one + load
    sources = one if delayed else one[:, :n]
    if not delayed:
        inside[n:, :n] += np.eye(n)
    injected = transfer.T.copy()
    injected[:n] += np.diag(feedback_s)
    by_source, by_node = np.split(
        np.linalg.solve(inside, np.hstack([sources, ohm * injected])), [sources.shape[1]], axis=1
    )

    # Currents into the nodes: forward @ sources - stiffness @ v + g_in e.
    into = transfer + feedback
    forward = into @ by_source
    stiffness = crossbar.word + np.diag(feedback_s + input_s) - into @ by_node

    rate = 2 * np.pi * amplifiers.gain_bandwidth_hz
    count = sources.shape[1]
    own = np.zeros((count, count))
    own[:n, :n] = -rate / amplifiers.open_loop_gain * np.eye(n)
    of_node = np.zeros((count, n))
    of_node[:n] = -rate * np.eye(n)
    if delayed:
        pole = 2 * np.pi * amplifiers.inverter_hz
        own[n:] -= pole * (by_source[:n] + np.eye(count)[n:])
        of_node[n:] = -pole * by_node[:n]
    offset = np.zeros((count, n))
    offset[:n] = rate * np.eye(n)

    node = amplifiers.node_f
    nothing = np.zeros((count, n))
    current = np.vstack([nothing, np.eye(n) / node])
    return Loop(
        np.block([[own, of_node], [forward / node, -stiffness / node]]),
        np.hstack([by_source[:n], by_node[:n]]),
        input_s * current,
        np.vstack([offset, 0 * offset[:n]]),
        current,
        rate,
    )
