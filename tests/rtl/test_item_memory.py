"""The memory of items: both halves apart, every port, what is read stays until the next read."""

import numpy as np
import pytest

from hw.common.item_memory import ItemMemory
from tests.support.amaranth_bench import Bench
from tests.support.product_unit import read_words


@pytest.mark.parametrize(("depth", "reads"), [(1, 1), (2, 2), (5, 3), (8, 1)])
def test_items_are_written_and_read_from_both_sides(depth, reads):
    dut = ItemMemory(depth, reads)
    bench = Bench(dut, 2000)
    rng = np.random.default_rng(0)
    words = rng.integers(0, 1 << 32, 2 * depth).tolist()

    def item(at: int) -> int:
        return words[2 * at] | words[2 * at + 1] << 32

    async def job(ctx):
        assert await read_words(ctx, dut.host, 2 * depth) == [0] * 2 * depth
        ctx.set(dut.host.write, 1)
        for at, word in enumerate(words):
            ctx.set(dut.host.address, at)
            ctx.set(dut.host.data, word)
            # A write reads nothing.
            kept = ctx.get(dut.host.value)
            await ctx.tick()
            assert ctx.get(dut.host.value) == kept
        ctx.set(dut.host.write, 0)
        assert await read_words(ctx, dut.host, 2 * depth) == words
        for _ in range(20):
            places = rng.integers(0, depth, reads).tolist()
            for port, place in enumerate(places):
                ctx.set(dut.addresses[port], place)
            ctx.set(dut.en, 1)
            await ctx.tick()
            ctx.set(dut.en, 0)
            for port in range(reads):
                ctx.set(dut.addresses[port], 0)
            await ctx.tick()
            assert list(ctx.get(dut.items)) == [item(place) for place in places]
            halves, at = int(rng.integers(0, 4)), int(rng.integers(0, depth))
            new = rng.integers(0, 1 << 32, 2).tolist()
            ctx.set(dut.halves, halves)
            ctx.set(dut.address, at)
            ctx.set(dut.item, new[0] | new[1] << 32)
            await ctx.tick()
            ctx.set(dut.halves, 0)
            for half in (0, 1):
                if halves >> half & 1:
                    words[2 * at + half] = new[half]
        assert await read_words(ctx, dut.host, 2 * depth) == words

    bench.sim.add_testbench(job)
    bench.run()
