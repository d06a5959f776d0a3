"""The transient of a stable loop: what its outputs are at a time, how long it takes, its peaks.

Times are marched through octave by octave, `POINTS` times an octave, with matrices exp(M t) that
come from each other by squaring: fast and slow poles may lie as far apart as they like.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from golden.inverse.loop import Loop

Floats = NDArray[np.float64]

POINTS = 32
"""Times an octave at which a transient is looked at."""

OCTAVES = 60
"""Most octaves of a transient; the first ends within the fastest time constant."""


class Transient:
    """What a stable loop does after its drive, per volt of each DAC.

    Parameters
    ----------
    loop
        Has an abscissa below 0.
    """

    def __init__(self, loop: Loop):
        self.loop = loop
        self._still = -np.linalg.solve(loop.dynamics, loop.drive)
        self._first = 1 / np.abs(loop.dynamics).sum(axis=1).max()
        self._squares = [expm(loop.dynamics * (self._first / POINTS))]

    @cached_property
    def final(self) -> Floats:
        """Outputs [n, n] in the end, per volt of drive."""
        return self.loop.outputs @ self._still

    def at(self, seconds: float) -> Floats:
        """Return the outputs [n, n] at a time after the drive, per volt of drive."""
        left = expm(self.loop.dynamics * seconds) @ self._still
        return self.final - self.loop.outputs @ left

    def march(self) -> Iterator[tuple[float, Floats]]:
        """Yield times in seconds and what is missing [n, n] to the final outputs, without end.

        From the first octave on, `POINTS` times in each.
        """
        seconds, left = 0.0, self._still
        yield seconds, self.loop.outputs @ left
        for octave in range(OCTAVES):
            step_s = self._first / POINTS * 2.0 ** max(0, octave - 1)
            propagator = self._square(max(0, octave - 1))
            for _ in range(POINTS if octave == 0 else POINTS):
                left = propagator @ left
                seconds += step_s
                yield seconds, self.loop.outputs @ left

    def _square(self, octave: int) -> Floats:
        """Return exp(M t), t the distance of times in an octave."""
        while len(self._squares) <= octave:
            self._squares.append(self._squares[-1] @ self._squares[-1])
        return self._squares[octave]
