"""A whole tile in Amaranth's simulator."""

from dataclasses import dataclass

import numpy as np

from golden.tile.analog import Analog
from golden.tile.tile import checked_steps
from hw.tile.tile import Tile
from spec.config import ChipConfig
from tests.support.amaranth_bench import Bench, answer_analog


@dataclass
class Run:
    """Hold what a simulation gave: results [n, outputs], cycles, and counters by name."""

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
    transposed: bool = False,
    analog: Analog | None = None,
) -> Run:
    """Multiply in RTL; with `reset`, all of it again after a reset in that cycle.

    `analog` is what is behind it, by default an ideal array with the weights.
    """
    count = len(vectors)
    way = config.direction(transposed)
    steps = checked_steps(config, steps, count, transposed=transposed)
    dut = Tile(config)
    pause = (max(idle) + max(stall) + 1) * way.groups
    patience = (count + 1) * (way.latency_cycles + pause) + 100
    bench = Bench(dut, 2 * patience if reset else patience)
    answer_analog(bench, dut.analog, analog or Analog.ideal(config, weights))
    # What lines without an input are given is of no importance.
    unused = [config.input_range[0]] * (config.drive_lines - way.inputs)
    operands = [
        {"x": x + unused, "step": step, "transposed": int(transposed)}
        for x, step in zip(vectors.tolist(), steps.tolist(), strict=True)
    ]
    if reset:
        bench.abort_at(reset, dut.vectors, operands, dut.results)
    started = bench.send(dut.vectors, operands, idle, after=reset)
    taken = bench.take(dut.results, count * way.groups, stall, after=reset)
    counters: dict[str, int] = {}

    async def count_up(ctx):
        while len(taken) < count * way.groups:
            await ctx.tick()
        await ctx.tick().repeat(3)
        counters.update({name: ctx.get(dut.counters[name]) for name, _ in dut.counters.shape()})

    bench.sim.add_testbench(count_up)
    bench.run()

    results = np.zeros((count, way.outputs), np.int64)
    for i, (_, payload) in enumerate(taken):
        product, group = divmod(i, way.groups)
        assert payload.group == group
        places = results[product, group :: way.groups]
        places[:] = list(payload.sums)[: len(places)]
    offered = [cycle for cycle, _ in taken[way.groups - 1 :: way.groups]]
    return Run(results, started, offered, counters)
