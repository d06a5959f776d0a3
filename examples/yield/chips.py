"""Try a loop on many chips: how many settle, how far off a single answer is, and when.

    python examples/yield/chips.py --program-error 0.1 --offset-v 1e-3 --node-spread 0.3

One system, realised once for the nominal chip, is solved on chips that differ: in what their cells
are off, in the offsets of their op-amps, and in the capacitance of their summing nodes, which is
log-normal. Then the outputs of one chip are sampled by a timer, too early at first.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from ohmulator import ChipConfig, Solver, UserError
from ohmulator.solver.array_inverse import ArrayInverse
from ohmulator.solver.counts import Counts
from ohmulator.solver.piece import joined

SIDE_BITS = 30
"""Bits of the largest word of a right-hand side."""

Floats = NDArray[np.float64]


def system(size: int, condition: float, seed: int) -> Floats:
    """Return a symmetric positive definite matrix with evenly spaced eigenvalues."""
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.standard_normal((size, size)))
    return (vectors * np.linspace(1, condition, size)) @ vectors.T


class Trial:
    """A system on chips that differ."""

    def __init__(self, matrix: Floats, seed: int):
        solver = Solver(matrix, method="refine")
        self.config = solver.config
        self.realisation, self.matrix = solver.realisations[0], solver.prepared.matrix
        known = np.random.default_rng(seed).standard_normal(len(matrix))
        side = self.matrix @ known
        unit = np.abs(side).max() / 2**SIDE_BITS
        self.words = np.rint(side / unit).astype(np.int64)
        self.exact = np.linalg.solve(self.matrix, self.words)

    def error(self, config: ChipConfig) -> float | None:
        """Return the relative error of a single answer of a chip; None if it does not settle."""
        inverse = ArrayInverse(config, self.realisation, 1.0, Counts())
        if inverse.inversion.settle_cycles is None:
            return None
        found = joined(inverse.approximate(self.words), len(self.words))
        return float(np.linalg.norm(found - self.exact) / np.linalg.norm(self.exact))


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=16, help="unknowns")
    parser.add_argument("--condition", type=float, default=3.0, help="condition number")
    parser.add_argument("--chips", type=int, default=200)
    parser.add_argument("--program-error", type=float, default=0.1, help="levels")
    parser.add_argument("--offset-v", type=float, default=1e-3, help="of op-amps, volts")
    parser.add_argument("--gain-bandwidth-hz", type=float, default=20e6, help="of op-amps")
    parser.add_argument("--node-spread", type=float, default=0.3, help="of log capacitance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/yield.png"), help="picture")
    args = parser.parse_args(argv)
    for name, least in (("size", 1), ("chips", 1), ("condition", 1), ("node_spread", 0)):
        if not least <= getattr(args, name) < 1e6:
            parser.error(f"{name} must be {least} to 1e6, not {getattr(args, name)}")
    return args


def main(argv: list[str]) -> int:
    args = arguments(argv)
    try:
        trial = Trial(system(args.size, args.condition, args.seed), args.seed)
        config = trial.config.replace(
            loop_program_error=args.program_error,
            amplifier_offset_v=args.offset_v,
            gain_bandwidth_hz=args.gain_bandwidth_hz,
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    draws = np.random.default_rng(args.seed).standard_normal(args.chips)
    node_f = config.physics.amplifiers.node_f
    errors = [
        trial.error(config.replace(seed=chip, node_f=node_f * np.exp(args.node_spread * draw)))
        for chip, draw in enumerate(draws)
    ]
    settled = np.array([error for error in errors if error is not None])
    print(f"{len(settled)} of {args.chips} chips settle ({len(settled) / args.chips:.1%})")
    if len(settled):
        shares = (0.05, 0.5, 0.95)
        quantiles = np.quantile(settled, shares)
        texts = [f"{q:.2e} ({share:.0%})" for q, share in zip(quantiles, shares, strict=True)]
        print(f"relative error of one answer: {', '.join(texts)}")

    times = np.geomspace(20e-9, 5e-6, 25)
    early = [trial.error(config.replace(inv_timer_s=float(time))) for time in times]
    for time, error in list(zip(times, early, strict=True))[::6]:
        print(f"sampled after {time * 1e9:6.0f} ns: relative error {error:.2e}")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.hist(settled, bins=30)
    left.set(xlabel="relative error of one answer", ylabel="chips", title="chips that settle")
    right.loglog(times * 1e9, early, "o-", markersize=3)
    right.set(xlabel="sampled after, ns", ylabel="relative error", title="one chip, by a timer")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=120)
    print(f"picture  {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
