"""Precise solutions from low-precision inversions: preparation, refinement, Krylov methods."""

from ohmulator.solver.outcome import Method, Reason
from ohmulator.solver.solver import Solution, Solver

__all__ = ["Method", "Reason", "Solution", "Solver"]
