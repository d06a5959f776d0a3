"""The loop with outputs that saturate: solved step by step, where the linear one goes too far.

An op-amp's output is held by a clamp: beyond the saturation voltage s it draws it back `CLAMP`
times as fast as the op-amp drives it,

    du/dt = -w (v - offset + u / A) - CLAMP w (u - clip(u, -s, s))
"""

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from golden.inverse.loop import Loop

Floats = NDArray[np.float64]

CLAMP = 1e3
"""Strength of the clamp: a volt between the inputs takes the output a millivolt beyond s."""


def limited(
    loop: Loop, drive_v: Floats, offset_v: Floats, limit_v: float, seconds: float
) -> Floats:
    """Return the outputs [n] in volts of a loop at a time, from rest, stable or not.

    Parameters
    ----------
    loop
        Of n op-amps.
    drive_v, offset_v
        Voltages [n] of DACs and of input offsets.
    limit_v
        Saturation voltage.
    seconds
        Time after the drive.
    """
    n = loop.size
    constant = loop.drive @ drive_v + loop.offset @ offset_v
    clamp = CLAMP * loop.rate

    def slope(_: float, states: Floats) -> Floats:
        change = loop.dynamics @ states + constant
        outputs = states[:n]
        change[:n] -= clamp * (outputs - np.clip(outputs, -limit_v, limit_v))
        return change

    def jacobian(_: float, states: Floats) -> Floats:
        matrix = loop.dynamics.copy()
        matrix[np.arange(n), np.arange(n)] -= clamp * (np.abs(states[:n]) > limit_v)
        return matrix

    found = solve_ivp(
        slope,
        (0.0, seconds),
        np.zeros(len(constant)),
        method="Radau",
        jac=jacobian,
        t_eval=[seconds],
        rtol=1e-6,
        atol=1e-9 * limit_v,
    )
    if not found.success:
        raise ArithmeticError(f"the transient of a saturating loop was lost: {found.message}")
    return np.asarray(loop.outputs @ found.y[:, -1])
