"""Detect what users send to a base station of many antennas: zero forcing and MMSE on a chip.

    python examples/mimo/detect.py --antennas 128 --users 8

A receiver knows the channel H, and gets y = H s + noise. Zero forcing solves H* H s = H* y, MMSE
(H* H + noise I) s = H* y; the matrix is the chip's to invert, once for all vectors of a coherence
block. Bits are those of 256-QAM, coded so that neighbours differ in one. The signal-to-noise ratio
is the power that all users send together over the noise at one antenna.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from ohmulator import Solver, UserError
from ohmulator.solver.counts import Counts

SIDE_BITS = 4
"""Bits of one of the two coordinates of a symbol."""

CONVERGING, CONVERGED, LONGEST = 0.05, 1e-3, 160
"""Relative residuals, median of a block: the largest with which the feedback is not raised, and the
one at which a channel is solved, in this many iterations at most."""


def gray(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers whose neighbours differ in one bit."""
    return numbers ^ (numbers >> 1)


LEVELS = 2.0 * np.arange(1 << SIDE_BITS) - ((1 << SIDE_BITS) - 1)
"""Coordinates of symbols."""

POWER = 2 * np.mean(LEVELS**2)
BITS = (gray(np.arange(1 << SIDE_BITS))[:, None] >> np.arange(SIDE_BITS)) & 1


def wrong_bits(sent: NDArray[np.int64], found: NDArray[np.complex128]) -> int:
    """Return how many bits of symbols [2, users, vectors] differ from those nearest to `found`."""
    count = 0
    for numbers, values in zip(sent, (found.real, found.imag), strict=True):
        nearest = np.clip(np.rint((values + LEVELS[-1]) / 2), 0, len(LEVELS) - 1).astype(np.int64)
        count += int((BITS[numbers] != BITS[nearest]).sum())
    return count


@dataclass
class Point:
    """What is counted at one signal-to-noise ratio."""

    iterations: int
    bits: int = 0
    exact: int = 0
    solved: int = 0
    raised: int = 0
    extra: int = 0
    unsolved: int = 0

    def __post_init__(self) -> None:
        self.errors = np.zeros(self.iterations, np.int64)
        self.counts, self.cells, self.blocks = Counts(), 0, 0


def detect(
    point: Point,
    channel: NDArray[np.complex128],
    noise: float,
    vectors: int,
    mmse: bool,
    rng: np.random.Generator,
) -> None:
    """Send vectors through a channel [antennas, users], and count the bits that arrive wrong."""
    antennas, users = channel.shape
    numbers = rng.integers(0, len(LEVELS), (2, users, vectors))
    symbols = LEVELS[numbers[0]] + 1j * LEVELS[numbers[1]]
    # All users together send a power of 1.
    unit = np.sqrt(POWER * users)
    draws = rng.standard_normal((2, antennas, vectors))
    received = channel @ symbols / unit + np.sqrt(noise / 2) * (draws[0] + 1j * draws[1])
    matched = channel.conj().T @ received * unit
    gram = channel.conj().T @ channel
    if mmse:
        gram = gram + noise * users * np.eye(users)
    exact = np.linalg.solve(gram, matched)
    point.bits += numbers.size * SIDE_BITS
    point.exact += wrong_bits(numbers, exact)
    solver = Solver(gram, method="refine")

    def residual(found: NDArray[np.complex128]) -> float:
        off = np.linalg.norm(gram @ found - matched, axis=0)
        return float(np.median(off / np.linalg.norm(matched, axis=0)))

    history = solver.refine_all(matched, iterations=point.iterations)
    while residual(history[-1]) > CONVERGING and solver.raise_feedback():
        point.raised += 1
        history = solver.refine_all(matched, iterations=point.iterations)
    # A channel that is nearly singular takes longer.
    longer, iterations = history, point.iterations
    while residual(longer[-1]) > CONVERGED and iterations < LONGEST:
        iterations *= 2
        longer = solver.refine_all(matched, iterations=iterations)
    point.extra += iterations - point.iterations
    point.unsolved += residual(longer[-1]) > CONVERGED
    point.solved += wrong_bits(numbers, longer[-1])
    point.errors += [wrong_bits(numbers, found) for found in history]
    point.counts += solver.counts
    point.cells += solver.cells
    point.blocks += 1


def rayleigh(count: int, antennas: int, users: int, seed: int) -> NDArray[np.complex128]:
    """Return channels [count, antennas, users] of independent paths of power 1."""
    draws = np.random.default_rng(seed).standard_normal((2, count, antennas, users))
    return (draws[0] + 1j * draws[1]) / np.sqrt(2)


def given(path: Path) -> NDArray[np.complex128]:
    """Return the channels of a file, scaled to a power of 1 a path."""
    try:
        channels = np.load(path, allow_pickle=False).astype(np.complex128)
    except (OSError, ValueError) as error:
        raise UserError(f"channels {path} cannot be read: {error}") from None
    if channels.ndim != 3 or not np.isfinite(channels).all() or channels.size == 0:
        raise UserError(
            f"channels {path} must be finite numbers [channels, antennas, users], not of the shape "
            f"{channels.shape}"
        )
    return channels / np.sqrt(np.mean(np.abs(channels) ** 2))


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--antennas", type=int, default=16)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--channels", type=Path, help=".npy [channels, antennas, users]")
    parser.add_argument("--snr", type=float, nargs="+", default=[0, 5, 10, 15, 20, 25], help="dB")
    parser.add_argument("--blocks", type=int, default=20, help="channels at each ratio")
    parser.add_argument("--vectors", type=int, default=500, help="of each channel")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--mmse", action="store_true", help="MMSE instead of zero forcing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/mimo.png"), help="picture")
    args = parser.parse_args(argv)
    for name in ("antennas", "users", "blocks", "vectors", "iterations"):
        if getattr(args, name) < 1:
            parser.error(f"{name} must be at least 1, not {getattr(args, name)}")
    if args.channels is None and args.antennas < args.users:
        parser.error(f"{args.users} users need at least as many antennas, not {args.antennas}")
    return args


def picture(points: dict[float, Point], title: str) -> plt.Figure:
    """Return bit error rates over the signal-to-noise ratio."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    ratios = list(points)
    for iteration in range(next(iter(points.values())).iterations):
        rates = [max(each.errors[iteration], 0.5) / each.bits for each in points.values()]
        axes.semilogy(ratios, rates, "o-", markersize=3, label=f"iteration {iteration + 1}")
    exact = [max(each.exact, 0.5) / each.bits for each in points.values()]
    axes.semilogy(ratios, exact, "k--", label="float64")
    axes.set(xlabel="signal-to-noise ratio, dB", ylabel="bit error rate", title=title)
    axes.legend()
    return figure


def main(argv: list[str]) -> int:
    args = arguments(argv)
    try:
        if args.channels:
            channels = given(args.channels)[: args.blocks]
        else:
            channels = rayleigh(args.blocks, args.antennas, args.users, args.seed)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _, antennas, users = channels.shape
    title = f"{antennas} x {users}, 256-QAM, {'MMSE' if args.mmse else 'zero forcing'}"
    heads = "float64", *(f"after {i + 1}" for i in range(args.iterations)), "solved"
    print(title)
    print(f"{'dB':>6} " + " ".join(f"{head:>9}" for head in heads))
    points: dict[float, Point] = {}
    for ratio in args.snr:
        point = points[ratio] = Point(args.iterations)
        rng = np.random.default_rng(args.seed + 1)
        for channel in channels:
            noise = 10 ** (-ratio / 10)
            detect(point, channel, noise, args.vectors, args.mmse, rng)
        rates = [point.exact, *point.errors.tolist(), point.solved]
        print(f"{ratio:6g} " + " ".join(f"{rate / point.bits:9.2e}" for rate in rates))
    last, all_ = points[args.snr[-1]], points.values()
    print(
        f"a block of {args.vectors} vectors: {last.cells // last.blocks} cells programmed, "
        f"{last.counts.settles // last.blocks} settles, "
        f"{last.counts.conversions // last.blocks} conversions\n"
        f"feedback raised {sum(each.raised for each in all_)} times, "
        f"{sum(each.extra for each in all_)} iterations more until solved, "
        f"{sum(each.unsolved for each in all_)} of {sum(each.blocks for each in all_)} channels "
        "not solved"
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture(points, title).savefig(args.out, dpi=120)
    print(f"picture  {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
