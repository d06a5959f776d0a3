"""Write-verify of one cell after the other, step by step in plain Python."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.array.cells import Pulse
from golden.array.lines import Array
from golden.tile.analog import Analog
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from golden.tile.write_verify import Outcome, Targets, targets
from spec.config import ChipConfig
from tests.support.configs import EVERY_FAULT, PULSE_SPREADS

EVERYTHING = EVERY_FAULT.replace(
    relaxation=0.1, stuck_any=0.1, stuck_high=0.1, seed=7, **PULSE_SPREADS
)

Step = tuple[int, int, int, int, int]
"""A pulse: slice, row, bit line, kind and amplitude."""


@dataclass
class Told:
    """Hold what became of cells programmed in order, and every pulse, in order of time."""

    success: list[bool]
    codes: list[int]
    pulses: list[int]
    steps: list[Step]


def fresh(config: ChipConfig) -> Analog:
    """Return a chip that has never been programmed."""
    return Analog(config, Array(config))


def by_hand(analog: Analog, wanted: Targets, order: Any = None) -> Told:
    """Program cells one after the other, in another `order` if given; outcomes are in theirs."""
    config = analog.config
    told = Told([False] * len(wanted), [0] * len(wanted), [0] * len(wanted), [])
    for i in range(len(wanted)) if order is None else order:
        s, row = int(wanted.slices[i]), int(wanted.rows[i])
        column = int(wanted.adcs[i]) * (config.array.columns // config.converter.adcs) + int(
            wanted.groups[i]
        )
        converter = s * config.converter.adcs + int(wanted.adcs[i])
        if config.array.mapping == "differential":
            line = 2 * column + int(wanted.sides[i])
        elif wanted.sides[i]:
            line, converter = config.array.columns, config.array.slices * config.converter.adcs
        else:
            line = column
        goal = config.verify_targets[wanted.levels[i]]
        cell = tuple(np.array([n]) for n in (s, row, line))
        previous, amplitude = None, 0
        while True:
            held = analog.hold_cells(*cell)
            code = int(analog.cell_adcs(np.array([converter])).convert(held)[0])
            told.codes[i] = code
            if abs(code - goal) <= config.verify_tolerance:
                told.success[i] = True
                break
            if told.pulses[i] == config.programming.pulse_limit:
                break
            # Where the code of largest magnitude is negative, a larger cell reads as a smaller one.
            too_small = code > goal if sum(config.code_range) < 0 else code < goal
            kind = Pulse.SET if too_small else Pulse.RESET
            if kind == previous:
                amplitude = min(
                    amplitude + config.programming.pulse_increment,
                    2**config.programming.pulse_bits - 1,
                )
            else:
                amplitude = config.programming.pulse_first
            previous = kind
            analog.array.cells.pulse(s, row, line, kind, amplitude)
            told.pulses[i] += 1
            told.steps.append((s, row, line, int(kind), amplitude))
    return told


def check_same(outcome: Outcome, told: Told) -> None:
    """Compare what became of every cell."""
    assert outcome.codes.tolist() == told.codes
    assert outcome.pulses.tolist() == told.pulses
    assert outcome.success.tolist() == told.success


def pick(wanted: Targets, at: Any) -> Targets:
    """Return some of the cells, in the order of the indices `at`."""
    names = ("slices", "rows", "adcs", "groups", "sides", "levels")
    return Targets(*(getattr(wanted, name)[at] for name in names))


def random_weights(config: ChipConfig, seed: int = 0) -> np.ndarray:
    """Return weights [rows, columns] over the whole range."""
    rng = np.random.default_rng(seed)
    return rng.integers(
        *config.weight_range, (config.array.rows, config.array.columns), endpoint=True
    )


def random_targets(config: ChipConfig, seed: int = 0) -> Targets:
    """Return every cell of random weights, in no order."""
    wanted = targets(config, random_weights(config, seed))
    return pick(wanted, np.random.default_rng(seed).permutation(len(wanted)))


def misses(analog: Analog, weights: np.ndarray) -> np.ndarray:
    """Return by how many levels each cell [slices, rows, bit_lines] misses that of the weights."""
    config = analog.config
    levels = cell_levels(config, slice_weights(config, weights))
    return (analog.array.g_s - config.array.g_min_s) / config.g_step_s - levels
