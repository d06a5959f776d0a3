"""Tell of solved systems: tables, figures, the picture, the verdict."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from ohmulator.jobs import pictures
from ohmulator.solver import Schwarz, Solution, Solver
from ohmulator.solver.counts import Counts

if TYPE_CHECKING:
    from ohmulator.jobs.screen import Screen
    from ohmulator.jobs.solve import Task

MOST_DRAWN = 16
"""Loops whose eigenvalues are drawn."""

MOST_ROWS = 40
"""Iterations that the table shows."""


@dataclass(frozen=True)
class Report:
    """Solutions of a task, and how they came about."""

    task: "Task"
    solver: Solver | Schwarz
    solutions: list[Solution]
    tolerance: float
    backend: str

    @property
    def solved(self) -> bool:
        """Tell whether all systems are solved."""
        return all(each.solved for each in self.solutions)

    @property
    def solution(self) -> NDArray[Any]:
        """Solutions [n, k] in the coordinates of the input."""
        return np.stack([each.best for each in self.solutions], axis=1)

    @property
    def worst(self) -> Solution:
        """The one with the largest residual."""
        return max(self.solutions, key=lambda each: each.residual)

    @property
    def verdict(self) -> str:
        """Last line of the job."""
        worst = self.worst
        if self.solved:
            return f"SOLVED: relative residual {worst.residual:.1e}, of at most {self.tolerance:g}"
        return f"NOT SOLVED: {worst.reason}; relative residual {worst.residual:.1e}"

    def error(self) -> float | None:
        """Return the largest relative error, where solutions are known."""
        if self.task.known is None:
            return None
        off = np.linalg.norm(self.solution - self.task.known, axis=0)
        return float((off / np.linalg.norm(self.task.known, axis=0)).max())

    def counts(self) -> Counts:
        """Return what the chip did for all right-hand sides."""
        return sum((each.counts for each in self.solutions), Counts())

    @property
    def settle_s(self) -> float | None:
        """Seconds that the slowest loop settles; None if one never does."""
        times = [loop.settle_s for loop in self.solver.loops]
        return None if None in times else max(time for time in times if time is not None)

    @property
    def loop_s(self) -> float:
        """Seconds in which the op-amps of loops were on, added up over loops."""
        return self.counts().loop_cycles / self.solver.config.machine.clock_hz

    def figures(self) -> dict[str, Any]:
        """Return what is known, for a JSON file."""
        solver, realisations = self.solver, self.solver.realisations
        return {
            "system": self.task.name,
            "backend": self.backend,
            "shape": list(solver.shape),
            "unknowns": solver.size,
            "hash": solver.config.whole,
            "array": solver.config.array.rows,
            "slices": solver.config.array.slices,
            "definite": solver.definite,
            "condition": _finite(solver.condition),
            "arrays with a loop": [
                {
                    "unknowns": len(each.cells),
                    "radius": each.radius,
                    "levels for an entry of 1": each.scale,
                    "feedback for stability": each.added,
                    "settle_s": loop.settle_s,
                    "abscissa": loop.loop.abscissa,
                }
                for each, loop in zip(realisations, self.solver.loops, strict=True)
            ],
            "tolerance": self.tolerance,
            "solved": self.solved,
            "error": self.error(),
            "counts": vars(self.counts()),
            "loop_s": self.loop_s,
            "cells": solver.cells,
            "solutions": [
                {
                    "solved": each.solved,
                    "reason": str(each.reason),
                    "method": str(each.method),
                    "iterations": each.iterations,
                    "residual": each.residual,
                    "residual without the loop": each.identity,
                    "residuals": each.residuals,
                }
                for each in self.solutions
            ],
        }

    def show(self, screen: "Screen") -> None:
        """Print the tables."""
        worst = self.worst
        if worst.answers:
            screen.table(
                f"iterations on {self.task.name}",
                [_iterations(worst)],
                ("iteration", "relative residual", "exponent", "ADC step", "clips", "conversions"),
            )
        screen.table(f"solution of {self.task.name}", self._rows())
        for name, meaning in WARNINGS.items():
            if count := getattr(self.counts(), name):
                screen.warn(meaning.format(count))

    def _rows(self) -> list[list[list[str]]]:
        solver, worst, counts = self.solver, self.worst, self.counts()
        settle_s, error = self.settle_s, self.error()
        rows, columns = solver.shape
        radius = max(each.radius for each in solver.realisations)
        added = max(each.added for each in solver.realisations)
        matrix = {
            "matrix": f"{rows} x {columns}",
            "condition number, prepared": _known(solver.condition, "{:.3g}"),
            "symmetric and positive definite": _known(solver.definite, "{}"),
            "arrays with a loop": str(len(self.solver.loops)),
            "spectral radius, worst": f"{radius:.3f}",
            "feedback added for stability, levels": f"{added:.2f}",
            "settling, slowest": "never" if settle_s is None else f"{settle_s * 1e9:.0f} ns",
        }
        course = {
            "method": str(worst.method),
            "backend": self.backend,
            "right-hand sides": str(len(self.solutions)),
            "iterations, worst": str(max(each.iterations for each in self.solutions)),
            "relative residual, float64": f"{worst.residual:.1e}",
            "the same without the loop": f"{worst.identity:.1e}",
        }
        if error is not None:
            course["relative error"] = f"{error:.1e}"
        work = {
            "cells programmed": str(solver.cells),
            "settles of the loop": str(counts.settles),
            "time with op-amps on, all loops": f"{self.loop_s * 1e6:.3g} us",
            "conversions": str(counts.conversions),
        }
        return [[list(row) for row in part.items()] for part in (matrix, course, work)]

    def picture(self) -> bytes:
        """Return the convergence, and the eigenvalues of the loop, as a PNG file."""
        figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
        for each in self.solutions:
            left.semilogy(np.maximum(each.residuals, 1e-16), "o-", markersize=3)
        left.axhline(self.worst.identity, color="grey", linestyle=":", label="without the loop")
        left.axhline(self.tolerance, color="black", linestyle="--", label="tolerance")
        left.set(xlabel="iteration", ylabel="relative residual", title=self.task.name)
        left.legend()
        some = self.solver.loops[:MOST_DRAWN]
        loops = [np.linalg.eigvals(loop.loop.dynamics) for loop in some]
        values = np.concatenate(loops) / 1e9
        right.plot(values.real, values.imag, ".", label="of op-amps and nodes")
        right.axvline(0, color="black", linewidth=0.8)
        right.axvline(values.real.max(), color="C1", linestyle="--", label="slowest")
        right.set_xscale("symlog", linthresh=1e-3)
        right.set(
            xlabel="real part, 1/ns",
            ylabel="imaginary part, 1/ns",
            title="eigenvalues of the loops",
        )
        right.legend()
        return pictures.png(figure)


WARNINGS = {
    "clips": "{} codes of the loop stand for values beyond the range of the ADCs",
    "saturated": "op-amps saturated in {} settles: the answer of the loop was wrong there",
    "disturbed": "cells saw more than the read voltage in {} settles",
}
"""Sentences for counts that should be 0."""


def _iterations(solution: Solution) -> list[list[str]]:
    """Return the rows of the table of iterations; of many, those at both ends."""
    rows = [
        [
            str(number),
            f"{residual:.2e}",
            str(answer.exponent),
            str(answer.step),
            str(answer.clips_high + answer.clips_low),
            str(answer.rounds * len(answer.codes)),
        ]
        for number, (residual, answer) in enumerate(
            zip(solution.residuals[1:], solution.answers, strict=True), 1
        )
    ]
    if len(rows) <= MOST_ROWS:
        return rows
    half = MOST_ROWS // 2
    return [*rows[:half], ["...", *[""] * 5], *rows[-half:]]


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _known(value: object, text: str) -> str:
    return "not known" if value is None else text.format(value)
