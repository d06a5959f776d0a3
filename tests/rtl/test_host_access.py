"""Accesses of the host: each reaches its space and no other, in order, and is checked before."""

import numpy as np
import pytest

from hw.top.host_access import HostAccess
from spec.isa import Space
from tests.support.amaranth_bench import Bench
from tests.support.configs import TWO_TILES

CONFIG = TWO_TILES.replace(lanes=2)
WORDS = 8


class Device:
    """Small memories behind all ports of an access, which answer a cycle later."""

    def __init__(self, dut: HostAccess):
        self.dut = dut
        self.words = {space: [100 * space + at for at in range(WORDS)] for space in Space}

    def step(self, ctx):
        """Do what the ports ask for in this cycle; return what is to be set after it."""
        dut, after = self.dut, []
        if ctx.get(dut.write.en):
            assert ctx.get(dut.write.mask) == 1
            self.words[Space.VECTOR][ctx.get(dut.write.address)] = ctx.get(dut.write.data[0])
        if ctx.get(dut.read.en):
            word = self.words[Space.VECTOR][ctx.get(dut.read.address)]
            after.append((dut.read.data[0], word))
        for space in (each for each in Space if each is not Space.VECTOR):
            port = dut.port(space)
            address = ctx.get(port.address)
            if ctx.get(port.write):
                self.words[space][address] = ctx.get(port.data)
            if ctx.get(port.read):
                after.append((port.value, self.words[space][address]))
        return after


@pytest.mark.parametrize("stall", [0, 2])
def test_every_space_is_reached_by_its_port_alone(stall):
    dut = HostAccess(CONFIG)
    bench = Bench(dut, 5000)
    device = Device(dut)
    memory = dut.memory
    rng = np.random.default_rng(0)
    wanted = {space: list(words) for space, words in device.words.items()}

    async def cycle(ctx):
        after = device.step(ctx)
        await ctx.tick()
        for signal, value in after:
            ctx.set(signal, value)

    async def job(ctx):
        for space in Space:
            for at in (0, WORDS - 1, 3):
                word = int(rng.integers(0, 1 << 31))
                ctx.set(memory.write.payload, {"space": space, "address": at, "data": word})
                ctx.set(memory.write.valid, 1)
                assert ctx.get(memory.write.ready)
                wanted[space][at] = word
                await cycle(ctx)
                ctx.set(memory.write.valid, 0)
                # Without a write nothing is written.
                ctx.set(memory.write.payload.data, 7)
                await cycle(ctx)
                assert device.words == wanted
        places = [(space, at) for space in Space for at in range(WORDS)]
        rng.shuffle(places)
        left, found, waited = [(Space(s), int(a)) for s, a in places], [], 0
        while len(found) < len(places):
            if left:
                ctx.set(memory.read.payload, {"space": left[0][0], "address": left[0][1]})
            ctx.set(memory.read.valid, bool(left))
            # Each is taken so many cycles late, and stays until then.
            ctx.set(memory.data.ready, waited >= stall)
            if ctx.get(memory.data.valid):
                word = ctx.get(memory.data.payload)
                if waited >= stall:
                    found.append(word)
                waited = 0 if waited >= stall else waited + 1
            taken = bool(left) and bool(ctx.get(memory.read.ready))
            await cycle(ctx)
            if taken:
                left.pop(0)
        assert found == [wanted[Space(s)][int(a)] for s, a in places]

    bench.sim.add_testbench(job)
    bench.run()


def test_words_that_spaces_cannot_hold_are_told():
    dut = HostAccess(CONFIG)
    low, high = CONFIG.weight_range
    matrices = CONFIG.machine.matrices
    bench = Bench(dut, 1000)
    cases = [
        *((Space.WEIGHT, 5, word, bad) for word, bad in [(low, 0), (high, 0), (low - 1, 1)]),
        (Space.WEIGHT, 5, high + 1, 1),
        (Space.WEIGHT, 5, -(1 << 31), 1),
        (Space.HOLDING, 1, matrices, 0),
        (Space.HOLDING, 3, matrices + 1, 1),
        (Space.HOLDING, 1, -1, 1),
        (Space.HOLDING, 0, matrices + 1, 0),
        (Space.HOLDING, 2, -1, 0),
        *((space, 1, -1, 0) for space in Space if space not in (Space.WEIGHT, Space.HOLDING)),
    ]

    async def job(ctx):
        for space, address, word, unfit in cases:
            data = word % (1 << 32)
            ctx.set(dut.memory.probe, {"space": space, "address": address, "data": data})
            await ctx.tick()
            assert ctx.get(dut.memory.unfit) == unfit, (space, address, word)

    bench.sim.add_testbench(job)
    bench.run()
