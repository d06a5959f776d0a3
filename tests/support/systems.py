"""Systems of equations to solve, drawn at random with a given condition number."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def definite(size: int, condition: float, seed: int) -> Floats:
    """Return a symmetric positive definite matrix with evenly spaced eigenvalues."""
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.standard_normal((size, size)))
    matrix = (vectors * np.linspace(1, condition, size)) @ vectors.T
    return (matrix + matrix.T) / 2


def skewed(size: int, condition: float, seed: int) -> Floats:
    """Return a definite matrix plus a skew one of full rank, so large as the condition asks for."""
    rng = np.random.default_rng(seed)
    symmetric = definite(size, 1 + (condition - 1) / 2, seed)
    skew = rng.standard_normal((size, size))
    skew -= skew.T
    skew /= np.linalg.norm(skew, 2)
    low, high = 0.2, 0.2
    while np.linalg.cond(symmetric + high * skew) < condition and high < 20:
        low, high = high, high + 0.05
    for _ in range(50):
        middle = (low + high) / 2
        below = np.linalg.cond(symmetric + middle * skew) < condition
        low, high = (middle, high) if below else (low, middle)
    return symmetric + high * skew


def poisson(side: int) -> Floats:
    """Return the five-point Laplacian [side^2, side^2] of a square as a sparse matrix."""
    import scipy.sparse as sp

    line = sp.diags_array(
        [-np.ones(side - 1), 2 * np.ones(side), -np.ones(side - 1)], offsets=[-1, 0, 1]
    )
    one = sp.eye_array(side)
    return (sp.kron(line, one) + sp.kron(one, line)).tocsr()
