"""A whole tile in Amaranth's simulator."""

from dataclasses import dataclass

import numpy as np

from golden.analog import Analog
from golden.config import ChipConfig
from golden.tile import checked_steps
from hw.tile import Tile
from tests.bench import Bench, answer_analog


@dataclass
class Run:
    """What a simulation gave: results [n, columns], cycles, and counters by name."""

    results: np.ndarray
    started: list[int]
    offered: list[int]
    counters: dict[str, int]


def simulate(
    config: ChipConfig,
    weights: np.ndarray,
    vectors: np.ndarray,
    steps: np.ndarray | None = None,
    idle: tuple[int, ...] = (0,),
    stall: tuple[int, ...] = (0,),
    reset: int = 0,
) -> Run:
    """Multiply in RTL; with `reset`, all of it again after a reset in that cycle."""
    count = len(vectors)
    steps = checked_steps(config, steps, count)
    dut = Tile(config)
    pause = (max(idle) + max(stall) + 1) * config.groups
    patience = (count + 1) * (config.latency_cycles + pause) + 100
    bench = Bench(dut, 2 * patience if reset else patience)
    answer_analog(bench, dut.analog, Analog.ideal(config, weights))
    operands = [
        {"x": x, "step": step} for x, step in zip(vectors.tolist(), steps.tolist(), strict=True)
    ]
    if reset:
        bench.abort_at(reset, dut.vectors, operands, dut.results)
    started = bench.send(dut.vectors, operands, idle, after=reset)
    taken = bench.take(dut.results, count * config.groups, stall, after=reset)
    counters: dict[str, int] = {}

    async def count_up(ctx):
        while len(taken) < count * config.groups:
            await ctx.tick()
        await ctx.tick().repeat(3)
        counters.update({name: ctx.get(dut.counters[name]) for name, _ in dut.counters.shape()})

    bench.sim.add_testbench(count_up)
    bench.run()

    results = np.zeros((count, config.columns), np.int64)
    for i, (_, payload) in enumerate(taken):
        product, group = divmod(i, config.groups)
        assert payload.group == group
        results[product, group :: config.groups] = list(payload.sums)
    offered = [cycle for cycle, _ in taken[config.groups - 1 :: config.groups]]
    return Run(results, started, offered, counters)
