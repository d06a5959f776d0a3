"""Cut the graph of a sparse matrix into compact parts, and let these overlap."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components, laplacian
from scipy.sparse.linalg import eigsh

Nodes = NDArray[np.int64]

SHIFT = 1e-6
"""Added to the diagonal of a Laplacian, which is singular, before it is factorised."""


def graph_of(matrix: sp.csr_array) -> sp.csr_array:
    """Return the graph of a matrix: 1 where it or its transpose has an entry off the diagonal."""
    pattern = sp.csr_array(abs(matrix) + abs(matrix.T), dtype=np.float64)
    pattern.setdiag(0)
    pattern.eliminate_zeros()
    pattern.data[:] = 1.0
    return pattern


def parts(graph: sp.csr_array, most: int) -> Iterator[Nodes]:
    """Yield parts of at most `most` nodes, halved again and again where few edges are cut.

    Halves are told by the second eigenvector of the Laplacian (M. Fiedler, Czech. Math. J. 25,
    1975), connected components first.
    """
    stack = [np.arange(graph.shape[0])]
    while stack:
        nodes = stack.pop()
        if len(nodes) <= most:
            yield nodes
            continue
        count = -(-len(nodes) // most)
        cut = round(len(nodes) * (count // 2) / count)
        order = _order(graph[nodes][:, nodes])
        stack += [nodes[order[:cut]], nodes[order[cut:]]]


def _order(graph: sp.csr_array) -> Nodes:
    """Return the nodes in an order in which halves are nearly separate."""
    count, labels = connected_components(graph, directed=False)
    if count > 1:
        return np.argsort(labels, kind="stable")
    size = graph.shape[0]
    matrix = sp.csc_array(laplacian(graph)) + SHIFT * sp.eye_array(size, format="csc")
    # A start of its own, so that the parts are the same in every run.
    start = 1.0 + np.linspace(0.0, 1.0, size)
    _, vectors = eigsh(matrix, k=2, sigma=0.0, v0=start)
    return np.argsort(vectors[:, 1], kind="stable")


def grown(graph: sp.csr_array, nodes: Nodes, most: int) -> Nodes:
    """Return nodes and their neighbours, layer by layer, as long as whole layers fit `most`."""
    found, layer = list(nodes), nodes
    while True:
        near = np.unique(graph[layer].indices)
        layer = np.setdiff1d(near, found, assume_unique=False)
        if not len(layer) or len(found) + len(layer) > most:
            return np.array(found)
        found += layer.tolist()
