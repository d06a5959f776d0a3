"""Precise solutions from low-precision inversions: preparation, refinement, Krylov methods."""
