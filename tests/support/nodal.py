"""Exact nodal analysis of resistor networks: the witness of the array solvers.

It knows nothing of crossbars, uses rational numbers, and so has no rounding to argue about. Small
networks only: the numbers grow with every elimination.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction


def solve(
    resistors: Iterable[tuple[str, str, float]], sources: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return node voltages, and the currents that flow from the network into the sources.

    `resistors` are (node, node, ohms), where 0 ohms joins the nodes; `sources` hold nodes at a
    voltage against ground.
    """
    resistors = list(resistors)
    parent: dict[str, str] = {}

    def joined(node: str) -> str:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for a, b, ohms in resistors:
        a, b = joined(a), joined(b)
        if ohms == 0:
            parent[a] = b
    volts = {joined(node): Fraction(v) for node, v in sources.items()}

    matrix: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    right: dict[str, Fraction] = defaultdict(Fraction)
    links = [(joined(a), joined(b), 1 / Fraction(ohms)) for a, b, ohms in resistors if ohms]
    for a, b, siemens in [*links, *((b, a, siemens) for a, b, siemens in links)]:
        if a not in volts and a != b:
            matrix[a][a] += siemens
            if b in volts:
                right[a] += siemens * volts[b]
            else:
                matrix[a][b] -= siemens

    order = list(matrix)
    for node in order:
        pivot = matrix[node]
        for other in [n for n in pivot if n != node]:
            factor = matrix[other].pop(node) / pivot[node]
            right[other] -= factor * right[node]
            for n, value in pivot.items():
                if n != node:
                    matrix[other][n] -= factor * value
    for node in reversed(order):
        known = sum(
            (value * volts[n] for n, value in matrix[node].items() if n != node), Fraction(0)
        )
        volts[node] = (right[node] - known) / matrix[node][node]

    into: dict[str, Fraction] = defaultdict(Fraction)
    for a, b, siemens in links:
        into[b] += siemens * (volts[a] - volts[b])
        into[a] += siemens * (volts[b] - volts[a])
    return (
        {node: float(volts[joined(node)]) for node in parent},
        {node: float(into[joined(node)]) for node in sources},
    )
