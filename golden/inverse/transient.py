"""The transient of a stable loop: its outputs at a time, how long it takes, how high they reach.

Times are marched through octave by octave with matrices exp(M t) that come from each other by
squaring, so that fast and slow poles may lie as far apart as they like.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from golden.inverse.loop import Loop

Floats = NDArray[np.float64]

POINTS = 32
"""Times an octave at which the transient of all drives is looked at."""

FINE_POINTS = 256
"""The same where the drive is known."""


@dataclass(frozen=True)
class Course:
    """Hold what a march through a transient has found.

    Attributes
    ----------
    settled_s
        Time in seconds from which on no output is further off than the band.
    peaks_v
        [n, ...], largest voltage of each output, in magnitude.
    """

    settled_s: float
    peaks_v: Floats


class Transient:
    """What a stable loop does after a drive that begins at rest.

    Parameters
    ----------
    loop
        Has an abscissa below 0.
    """

    def __init__(self, loop: Loop):
        self.loop = loop
        self._fastest_s = 1 / np.abs(loop.dynamics).sum(axis=1).max()
        self._propagators: dict[int, list[Floats]] = {}
        self._states = -np.linalg.solve(loop.dynamics, np.hstack([loop.drive, loop.offset]))
        self.final, self.by_offset = np.split(loop.outputs @ self._states, [loop.size], axis=1)
        """Outputs [n, n] in the end, per volt of drive and per volt of input offset."""

    def at(self, seconds: float) -> Floats:
        """Return the outputs [n, n] at a time after the drive, per volt of drive."""
        left = expm(self.loop.dynamics * seconds) @ self._states[:, : self.loop.size]
        return self.final - self.loop.outputs @ left

    def worst(self, drive_v: float, band_v: float) -> Course:
        """Return the course of the worst drive of up to `drive_v` each, for each output.

        Peaks [n, n] are per volt of each drive, and of other drives the sum bounds the outputs.
        """
        return self._course(np.eye(self.loop.size), band_v / drive_v, POINTS, each=False)

    def course(self, drives_v: Floats, band_v: float) -> Course:
        """Return the course of drives [n, m] in volts, of which the slowest decides."""
        return self._course(drives_v, band_v, FINE_POINTS, each=True)

    def _course(self, drives_v: Floats, band_v: float, points: int, *, each: bool) -> Course:
        """March until nothing can leave the band any more.

        Drives count each alone, or all of them together with whatever signs are worst.
        """
        loop, reach = self.loop, np.abs(self.loop.outputs).sum(axis=1).max()

        def size(values: Floats) -> float:
            magnitudes = np.abs(values)
            return float((magnitudes if each else magnitudes.sum(axis=1)).max(initial=0.0))

        final = self.final @ drives_v
        peaks = np.abs(final)
        before_s, before, settled_s = 0.0, size(final), 0.0
        for octave, contracts in self._march(drives_v, points):
            quiet = contracts
            for seconds, states in octave:
                missing = loop.outputs @ states
                np.maximum(peaks, np.abs(final - missing), out=peaks)
                off = size(missing)
                if off > band_v:
                    settled_s = seconds
                elif before > band_v:
                    # Between two times it falls about exponentially.
                    share = np.log(before / band_v) / np.log(before / max(off, 1e-300))
                    settled_s = before_s + share * (seconds - before_s)
                before_s, before = seconds, off
                quiet = quiet and reach * size(states) <= band_v
            # What states lack in an octave is at most halved in the time after it, of its length.
            if quiet:
                break
        return Course(settled_s, peaks)

    def _march(
        self, drives_v: Floats, points: int
    ) -> Iterator[tuple[list[tuple[float, Floats]], bool]]:
        """Yield octaves: times in seconds with what states [states, m] lack in volts.

        And whether the largest of these is halved, at least, within as long as the octave is.
        """
        seconds, left = 0.0, self._states[:, : self.loop.size] @ drives_v
        # The first octave begins at 0, and has the step of the second.
        for number in itertools.chain([0], itertools.count()):
            step_s = self._fastest_s / points * 2.0**number
            propagator = self._propagator(points, number)
            octave = []
            for _ in range(points):
                left = propagator @ left
                seconds += step_s
                octave.append((seconds, left))
            whole = np.linalg.matrix_power(propagator, points)
            yield octave, bool(np.abs(whole).sum(axis=1).max() <= 0.5)

    def _propagator(self, points: int, octave: int) -> Floats:
        """Return exp(M t) for the distance t of times in an octave."""
        if points not in self._propagators:
            self._propagators[points] = [expm(self.loop.dynamics * (self._fastest_s / points))]
        known = self._propagators[points]
        while len(known) <= octave:
            known.append(known[-1] @ known[-1])
        return known[octave]
