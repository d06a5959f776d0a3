"""Precise solutions from low-precision inversions: preparation, refinement, Krylov methods."""

from ohmulator.solver.outcome import Method, Reason, Solution
from ohmulator.solver.schwarz import Schwarz
from ohmulator.solver.solver import Solver

__all__ = ["Method", "Reason", "Schwarz", "Solution", "Solver"]
