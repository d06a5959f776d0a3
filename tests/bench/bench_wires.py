"""Speed of the effective matrix, as ratios against other work of the same run.

Run as ``python -m tests.bench.bench_wires``. Each line is one square array: the effective matrix
against badcrossbar's solution for a single vector and against one dense matrix product, and a
product of 128 vectors with the effective matrix against one with the ideal conductances.
"""

import argparse
import logging
import time
import warnings
from collections.abc import Callable

import numpy as np

from golden.array.wires import effective_matrix

VECTORS = 128


def best_seconds(*works: Callable[[], object]) -> list[float]:
    """Return the best time of each, run in turn for a second so that all meet the same load."""
    best = [np.inf] * len(works)
    begin = time.perf_counter()
    while time.perf_counter() - begin < 1:
        for n, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[n] = min(best[n], time.perf_counter() - start)
    return best


def size(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is no size of an array; give 1 or more")
    return number


def resistance(text: str) -> float:
    ohms = float(text)
    if not 0 <= ohms < np.inf:
        raise argparse.ArgumentTypeError(f"{ohms:g} ohm is no wire; give 0 or more, and finite")
    return ohms


def measure(n: int, ohms: float) -> str:
    """Return the line of the table for n x n cells."""
    import badcrossbar

    wires = dict.fromkeys(("r_word", "r_bit", "r_driver", "r_sense"), ohms)
    rng = np.random.default_rng(n)
    G, v = rng.uniform(1e-6, 1e-4, (n, n)), rng.uniform(0, 1, (VECTORS, n))
    E = effective_matrix(G, **wires)
    matrix, single = best_seconds(
        lambda: effective_matrix(G, **wires),
        lambda: badcrossbar.compute(v[:1].T, 1 / G, ohms),
    )
    dense, real, ideal = best_seconds(lambda: G @ G, lambda: v @ E, lambda: v @ G)
    return (
        f"{f'{n} x {n}':>11} {matrix:>8.3f} s {matrix / single:>14.3f} {matrix / dense:>14.1f}"
        f" {real * 1e3:>7.3f} ms {real / ideal:>8.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_wires", description=__doc__)
    parser.add_argument(
        "--sizes",
        type=size,
        nargs="+",
        default=[128, 256, 512],
        help="rows and columns of the square arrays (default: 128 256 512)",
    )
    parser.add_argument(
        "--ohms", type=resistance, default=1.0, help="ohms per wire segment (default: 1)"
    )
    arguments = parser.parse_args()
    with warnings.catch_warnings(record=True):  # its plotting wants a library not needed here
        try:
            import badcrossbar  # noqa: F401
        except ImportError:
            parser.error("badcrossbar is not installed: pip install --no-deps badcrossbar")
    logging.getLogger("badcrossbar").setLevel(logging.WARNING)

    print(f"cells of 1 to 100 uS, {arguments.ohms:g} ohm per segment, {VECTORS} vectors")
    print(f"{'array':>11} {'matrix':>10} {'/ badcrossbar':>14} {'/ n^3 product':>14}", end="")
    print(f" {'products':>10} {'/ ideal':>8}")
    for n in arguments.sizes:
        print(measure(n, arguments.ohms), flush=True)


if __name__ == "__main__":
    main()
