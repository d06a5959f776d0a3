"""A tile behind a link in RTL answers word for word as its model does, whatever it is sent."""

import copy
import itertools

import numpy as np
import pytest

from golden.tile.analog import Analog
from hw.top.linked_tile import LinkedTile
from spec.isa import ErrorCode
from spec.tile_link import tile_operations
from tests.support.amaranth_bench import Bench, answer_analog
from tests.support.configs import EVERY_FAULT, VERIFIABLE, random_operands
from tests.support.tile_frames import Seen, follow, tile_frames, tile_model

PATIENCE = 5000
"""Cycles in which a reply comes."""


def session(config, frames: int, idle=(0,), stall=(0,), seed=0) -> Seen:
    """Run a random session; `idle` and `stall` are cycles before words of commands and replies."""
    rng = np.random.default_rng(seed)
    weights, _ = random_operands(config, 1, seed)
    analog = Analog.programmed(config, weights)
    dut = LinkedTile(config)
    bench = Bench(dut, frames * PATIENCE)
    answer_analog(bench, dut.analog[0], copy.deepcopy(analog))
    commands, replies = dut.commands, dut.replies
    pauses, stalls = itertools.cycle(idle), itertools.cycle(stall)
    outcome: list[Seen] = []

    async def host(ctx):
        async def exchange(words, damaged):
            for i, word in enumerate(words):
                if pause := next(pauses):
                    ctx.set(commands.valid, 0)
                    await ctx.tick().repeat(pause)
                last = i == len(words) - 1
                payload = {"data": word, "last": last, "damaged": damaged and last}
                ctx.set(commands.payload, payload)
                ctx.set(commands.valid, 1)
                await ctx.tick().until(commands.ready)
            ctx.set(commands.valid, 0)
            reply, last = [], 0
            while not last:
                if pause := next(stalls):
                    await ctx.tick().repeat(pause)
                ctx.set(replies.ready, 1)
                data, last = (
                    await ctx.tick()
                    .sample(replies.payload.data, replies.payload.last)
                    .until(replies.valid)
                )
                ctx.set(replies.ready, 0)
                reply.append(data)
            return reply

        model = tile_model(config, analog)
        outcome.append(await follow(exchange, config, model, tile_frames(config, rng, frames), rng))

    bench.sim.add_testbench(host)
    bench.run()
    return outcome[0]


@pytest.mark.parametrize(
    "config, stall",
    [
        (VERIFIABLE.replace(rows=5, columns=2, adcs=1), (0,)),
        (VERIFIABLE.replace(rows=5, columns=6, adcs=3, physics=EVERY_FAULT), (0, 2)),
        (VERIFIABLE.replace(rows=2, columns=3, adcs=1, mapping="offset", adc_bits=9), (1, 0)),
        (VERIFIABLE.replace(rows=3, columns=2, slices=1, adcs=1, conversion_s=30e-9), (0,)),
    ],
    ids=["tall", "faults", "offset", "searching ADCs"],
)
def test_random_packets(config, stall):
    seen = session(config, 110, stall=stall)
    assert seen.meanwhile > 8
    for operation in tile_operations(config):
        assert seen.ends[(operation, ErrorCode.NONE)] > 1, operation
