"""Words of a reply are of one cycle, whatever changes while they are copied and taken."""

import pytest
from amaranth.hdl import Module

from hw.common.counters import hold_cycles
from hw.link import responder as rtl
from hw.link.replier import HOLD_LINK_CYCLES
from spec.packet import HEADER_WORDS, LINE_COUNTERS, STATE, STATUS, Packet, packet, unpack
from tests.support.amaranth_bench import Bench
from tests.support.memory_device import IDENTITY, SIZES

COUNTERS = 5


@pytest.mark.parametrize("stall", [0, 1, 5])
def test_counters_and_status_are_of_one_cycle(stall):
    """Counters, lines, state and position all change in every cycle in which they may."""
    m = Module()
    m.submodules.responder = responder = rtl.Responder(SIZES, IDENTITY, COUNTERS)
    bench = Bench(m, 4000)
    commands, replies, control = responder.commands, responder.replies, responder.control
    held = {"hold": [0], "hold_line": [0]}

    async def change(ctx):
        """Count the cycles in which nothing is held, and how long it is in a row."""
        counts = {"hold": 0, "hold_line": 0}
        async for *_, hold, hold_line in ctx.tick().sample(control.hold, responder.hold_line):
            for name, holds in (("hold", hold), ("hold_line", hold_line)):
                counts[name] += not holds
                held[name].append(held[name][-1] + 1 if holds else 0)
            for number in range(COUNTERS):
                ctx.set(control.counters[number], counts["hold"] << 32 | counts["hold"])
            for name in LINE_COUNTERS:
                ctx.set(responder.line[name], counts["hold_line"])
            ctx.set(control.position, bench.now)
            ctx.set(control.state, {"running": 1, "code": bench.now % 256})

    async def ask(ctx, kind: Packet, sequence: int) -> list[int]:
        words = packet(kind, sequence)
        for i, word in enumerate(words):
            ctx.set(commands.payload, {"data": word, "last": i == len(words) - 1, "damaged": 0})
            ctx.set(commands.valid, 1)
            await ctx.tick().until(commands.ready)
        ctx.set(commands.valid, 0)
        reply, last = [], 0
        while not last:
            await ctx.tick().repeat(stall + 1)
            ctx.set(replies.ready, 1)
            word, last = (
                await ctx.tick()
                .sample(replies.payload.data, replies.payload.last)
                .until(replies.valid)
            )
            ctx.set(replies.ready, 0)
            reply.append(word)
        return reply[HEADER_WORDS:]

    async def job(ctx):
        for sequence in range(0, 12, 2):
            words = await ask(ctx, Packet.COUNTERS, sequence)
            assert len(words) == 2 * COUNTERS and len(set(words)) == 1
            status = dict(zip(STATUS, await ask(ctx, Packet.STATUS, sequence + 1), strict=True))
            assert len({status[name] for name in LINE_COUNTERS}) == 1
            assert status["packets"] == sequence + 2
            assert unpack(STATE, status["state"]) == {
                "running": 1,
                "code": status["position"] % 256,
            }
        assert max(held["hold"]) == hold_cycles(COUNTERS)
        assert 0 < max(held["hold_line"]) <= HOLD_LINK_CYCLES

    bench.answer(change)
    bench.sim.add_testbench(job)
    bench.run()
