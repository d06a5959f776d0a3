"""Scenarios of products, run in Amaranth's simulator and by the model."""

import copy
from typing import Any

import numpy as np

from golden.tile.analog import Analog
from spec.config import ChipConfig
from spec.counters import TILE_COUNTERS
from spec.isa import ErrorCode, Space
from spec.load import load
from tests.support.amaranth_bench import Bench, answer_analog
from tests.support.products import (
    COUNTS,
    PORTS,
    Done,
    Products,
    Scenario,
)

UNTIMED = [counter.name for counter in TILE_COUNTERS if not counter.timed]


def small(**changes: Any) -> ChipConfig:
    fields = {
        "rows": 3,
        "columns": 2,
        "adcs": 1,
        "tiles": 2,
        "vector_words": 64,
        "weight_words": 256,
        "matrices": 3,
        "settle_s": 0.0,
    }
    return load("digits", **fields | changes)


async def read_words(ctx: Any, port: Any, count: int) -> list[int]:
    """Return the first words behind a `WordPort`."""
    words = []
    ctx.set(port.read, 1)
    for address in range(count):
        ctx.set(port.address, address)
        await ctx.tick()
        words.append(ctx.get(port.value))
    ctx.set(port.read, 0)
    return words


def simulate(
    scenario: Scenario, patience: int = 20000
) -> tuple[list[Done], list[Analog], list[int]]:
    """Return what came of each product, the analogue parts at the end, and cycles of each."""
    config = scenario.config
    dut = Products(config)
    bench = Bench(dut, patience)
    analogs = [copy.deepcopy(analog) for analog in scenario.analogs]
    for port, analog in zip(dut.tiles, analogs, strict=True):
        answer_analog(bench, port.analog, analog)
    done: list[Done] = []
    cycles: list[int] = []

    async def write_vector(ctx, address, words):
        port = dut.vector.write
        ctx.set(port.en, 1)
        ctx.set(port.mask, 1)
        for i, word in enumerate(words.view("<i4").tolist()):
            ctx.set(port.address, address + i)
            ctx.set(port.data[0], word)
            await ctx.tick()
        ctx.set(port.en, 0)

    async def read_vector(ctx):
        port = dut.vector.read
        words = []
        ctx.set(port.en, 1)
        for address in range(0, config.machine.vector_words, config.machine.lanes):
            ctx.set(port.address, address)
            await ctx.tick()
            words += [ctx.get(word) for word in port.data]
        ctx.set(port.en, 0)
        return words

    async def host(ctx):
        for space, address, words in scenario.writes:
            if space is Space.VECTOR:
                await write_vector(ctx, address, words)
                continue
            port = getattr(dut, PORTS[space])
            ctx.set(port.write, 1)
            for i, word in enumerate(words.tolist()):
                ctx.set(port.address, address + i)
                ctx.set(port.data, word)
                await ctx.tick()
            ctx.set(port.write, 0)
        ctx.set(dut.control.step, scenario.steps)
        for product in scenario.products:
            request, reply = dut.port.request, dut.port.reply
            ctx.set(request.payload, product.request)
            ctx.set(request.valid, 1)
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
            begun = bench.now
            while not ctx.get(reply.valid):
                ctx.set(dut.control.aborting, product.aborts(bench.now - begun))
                await ctx.tick()
            ctx.set(dut.control.aborting, 0)
            payload = ctx.get(reply.payload)
            ctx.set(reply.ready, 1)
            await ctx.tick()
            ctx.set(reply.ready, 0)
            cycles.append(bench.now - begun)
            await ctx.tick().repeat(3)
            done.append(
                Done(
                    ErrorCode(payload.code),
                    {name: getattr(payload, name) for name in COUNTS},
                    await read_vector(ctx),
                    await read_words(ctx, dut.holdings, 2 * config.machine.tiles),
                    [
                        {name: ctx.get(port.counters[name]) for name in UNTIMED}
                        for port in dut.tiles
                    ],
                )
            )

    bench.sim.add_testbench(host)
    bench.run()
    return done, analogs, cycles


def check(scenario: Scenario, patience: int = 20000) -> list[int]:
    """Compare with the model; return cycles of each product."""
    expected, machine = scenario.expected()
    done, analogs, cycles = simulate(scenario, patience)
    for want, got in zip(expected, done, strict=True):
        assert got == want
    for analog, tile in zip(analogs, machine.tiles, strict=True):
        np.testing.assert_array_equal(analog.array.g_s, tile.analog.array.g_s)
    return cycles
