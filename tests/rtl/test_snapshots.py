"""Replies of a chip that runs a program are of one cycle, however slowly they are taken."""

import functools
from collections.abc import Sequence

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from hw.link.framing import Framer
from hw.top.chip import Chip
from ohmulator.host.framing import Deframer
from spec.assembly import assemble
from spec.counters import CHIP_COUNTERS, TILE_COUNTERS
from spec.isa import ErrorCode, Space
from spec.packet import HEADER_WORDS, STATE, Packet, packet, unpack
from tests.support.configs import TWO_BY_TWO
from tests.support.simulation import Simulation

CONFIG = TWO_BY_TWO.replace(lanes=1, vector_words=16, program_words=512, matrices=1)

# Both programs run until they are aborted, each instruction in the same number of cycles.
ACROSS, AROUND = 255, 4
PROGRAM = {ACROSS: "JUMP 256", ACROSS + 1: "JUMP 255", AROUND: "JUMP 4"}


class Line:
    """A chip that sends its replies as bytes, each `pace` cycles after the one before."""

    def __init__(self) -> None:
        m = Module()
        m.submodules.chip = self.chip = Chip(CONFIG)
        m.submodules.framer = self.framer = Framer()
        wiring.connect(m, self.chip.replies, self.framer.words)
        self.simulation = Simulation(m)
        self._sequence = 0

    async def ask(self, ctx, kind: Packet, payload: Sequence[int] = (), pace: int = 1) -> list[int]:
        """Send a command and return the payload of its reply."""
        commands, line = self.chip.commands, self.framer.bytes
        self._sequence = (self._sequence + 1) % 256
        words = packet(kind, self._sequence, payload)
        for i, word in enumerate(words):
            ctx.set(commands.payload, {"data": word, "last": i == len(words) - 1, "damaged": 0})
            ctx.set(commands.valid, 1)
            await ctx.tick().until(commands.ready)
        ctx.set(commands.valid, 0)
        deframer, frames = Deframer(), []
        while not frames:
            if pace > 1:
                await ctx.tick().repeat(pace - 1)
            ctx.set(line.ready, 1)
            _, _, valid, byte = await ctx.tick().sample(line.valid, line.payload)
            ctx.set(line.ready, 0)
            frames = deframer.feed(bytes([byte] if valid else []))
        (frame,) = frames
        assert not frame.damaged
        return frame.words[HEADER_WORDS:]

    async def start(self, ctx, pc: int) -> None:
        for at, text in PROGRAM.items():
            code = np.array(assemble(text), "<u8").view("<u4").tolist()
            await self.ask(ctx, Packet.WRITE, [Space.PROGRAM, 2 * at, *code])
        await self.ask(ctx, Packet.RUN, [pc])

    async def stop(self, ctx) -> None:
        await self.ask(ctx, Packet.ABORT)
        await ctx.tick().repeat(9)
        state, *_ = await self.ask(ctx, Packet.STATUS)
        assert unpack(STATE, state) == {"running": 0, "code": ErrorCode.ABORTED}


@functools.cache
def line() -> Line:
    return Line()


async def counters(ctx, pace: int) -> dict[str, int]:
    words = await line().ask(ctx, Packet.COUNTERS, pace=pace)
    values = [low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True)]
    names = [c.name for c in CHIP_COUNTERS] + [f"tile {c.name}" for c in TILE_COUNTERS]
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize("pace", [1, 2, 7, 16])
def test_counters_are_of_one_cycle(pace):
    """`cycles`, busy or not, go on together, in the chip and in the tile, and none is lost."""
    seen = []

    async def job(ctx):
        await line().start(ctx, AROUND)
        for _ in range(4):
            seen.append(await counters(ctx, pace))
        await line().stop(ctx)
        seen.append(await counters(ctx, 1))

    line().simulation.run(job)
    *running, stopped = seen
    for name in ("tile cycles", "cycles"):
        # From reset on: no cycle is lost while counters are held.
        assert all(each[name] == each["cycles"] for each in seen), name
    idle = {each["cycles"] - each["busy_cycles"] for each in running}
    assert len(idle) == 1
    phases = {each["busy_cycles"] - 4 * each["instructions"] for each in running}
    assert max(phases) - min(phases) < 4
    assert stopped["cycles"] - stopped["busy_cycles"] > max(idle)


@pytest.mark.parametrize("pace", [1, 5, 7, 16])
def test_the_program_counter_is_of_one_cycle(pace):
    seen = []

    async def job(ctx):
        await line().start(ctx, ACROSS)
        for _ in range(12):
            state, position, *_ = await line().ask(ctx, Packet.STATUS, pace=pace)
            assert unpack(STATE, state)["running"]
            seen.append(position)
            await ctx.tick()
        await line().stop(ctx)

    line().simulation.run(job)
    assert set(seen) == {ACROSS, ACROSS + 1}


def test_state_and_program_counter_are_of_the_same_cycle():
    """A program that ends while its status is copied is still in its loop, or has ended at 10."""
    seen = set()
    code = np.array(assemble("SET s1, 12\nLOOP s1, 9\nHALT"), "<u8").view("<u4").tolist()

    async def job(ctx):
        await line().ask(ctx, Packet.WRITE, [Space.PROGRAM, 16, *code])
        for wait in range(1, 40):
            await line().ask(ctx, Packet.RUN, [8])
            await ctx.tick().repeat(wait)
            state, position, *_ = await line().ask(ctx, Packet.STATUS)
            seen.add((unpack(STATE, state)["running"], position))
            await ctx.tick().repeat(80)

    line().simulation.run(job)
    assert seen <= {(1, 9), (1, 10), (0, 10)}
    assert {(1, 9), (0, 10)} <= seen
