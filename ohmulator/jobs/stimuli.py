"""Random jobs for testbenches, one function for each of `ohmulator.jobs.sim.TESTBENCHES`."""

import numpy as np

from golden.tile.analog import Analog
from sim.job import RandomRows, TileJob
from spec.config import ChipConfig


def tile(
    config: ChipConfig, seed: int, count: int, reproduce: str, *, transposed: bool = False
) -> TileJob:
    """Return random products for a tile: extremes among the inputs, pauses on both streams.

    They are drawn while they are multiplied, so that any number of them needs little memory.

    Raises
    ------
    UserError
        If `transposed` ones are wanted, and the chip has none.
    """
    if transposed:
        config.require_transposable()
    direction = config.direction(transposed)
    draw = np.random.default_rng(seed)
    low, high = config.weight_range
    weights = draw.integers(low, high, (config.array.rows, config.array.columns), endpoint=True)
    traced = direction.latency_cycles + 8 * config.planes * direction.plane_cycles
    return TileJob(
        Analog.programmed(config, weights),
        RandomRows((seed, 0), count, direction.inputs, *config.input_range, extreme=True),
        RandomRows((seed, 1), count, config.steps, 0, direction.covering_step),
        transposed,
        idle=tuple(draw.integers(0, 3, 7).tolist()),
        stall=tuple(draw.integers(0, 3, 5).tolist()),
        trace_cycles=0 if transposed else traced,
        kept=False,
        reproduce=reproduce,
    )
