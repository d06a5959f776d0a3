"""Blocks, rounds and outputs of ADCs, of matrices of all shapes, are those of the reference."""

import itertools

import pytest
from amaranth.hdl import Signal

from golden.machine.scheduler import Block, blocks, rounds
from golden.tile.mapping import outputs_seen
from hw.common.direction import by_direction, has_output
from hw.machine.block_walk import BlockWalk
from tests.rtl.test_common import evaluate
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip
from tests.support.product_unit import small


def fields(block: Block) -> dict[str, int]:
    corner = {"top": block.rows.start, "left": block.columns.start}
    return {"number": block.number, "tile": block.tile, **corner}


@pytest.mark.parametrize("tiles", [1, 2, 3, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_walk_meets_every_block_and_gathers_every_round(tiles, transposed):
    """Tiles are 3 x 2, matrices as long as the vector memory at most, and any tile is the first."""
    config = small(tiles=tiles)
    sides = [(1, 1), (3, 2), (4, 2), (3, 3), (7, 5), (12, 4), (1, 64), (64, 1)]
    dut = BlockWalk(config)
    bench = Bench(dut, 20000)

    async def pulse(ctx, *names):
        for name in names:
            ctx.set(getattr(dut, name), 1)
        await ctx.tick()
        for name in names:
            ctx.set(getattr(dut, name), 0)

    async def walk(ctx, rows, columns, first):
        ctx.set(dut.rows, rows)
        ctx.set(dut.columns, columns)
        ctx.set(dut.tile, first)
        ctx.set(dut.transposed, transposed)
        await pulse(ctx, "restart")
        every, passed = list(blocks(config, rows, columns, first)), 0
        for number, batch in enumerate(rounds(config, rows, columns, first)):
            if number:
                await pulse(ctx, "begin")
            starts = {}
            for i, block in enumerate(batch):
                assert not ctx.get(dut.ended) or not passed
                assert ctx.get(dut.complete) == (i == len(batch) - 1)
                present = ctx.get(dut.block)
                assert {name: present[name] for name in fields(block)} == fields(block)
                starts[block.tile] = block.directed(transposed)[0].start
                await ctx.tick()
                await pulse(ctx, "advance")
                passed += 1
                found = ctx.get(dut.batch)
                assert found.blocks == i + 1
                assert found.active == sum(1 << tile for tile in starts)
                for name, end in (("first", batch[0]), ("last", block)):
                    assert {key: found[name][key] for key in fields(end)} == fields(end)
                assert all(found.starts[tile] == start for tile, start in starts.items())
                assert ctx.get(dut.ended) == (passed == len(every))

    async def job(ctx):
        for (rows, columns), first in itertools.product(sides, range(tiles)):
            await walk(ctx, rows, columns, first)

    bench.sim.add_testbench(job)
    bench.run()


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize(
    ("rows", "columns", "adcs"), [(3, 4, 2), (4, 4, 2), (5, 3, 3), (1, 6, 3), (7, 4, 4), (2, 8, 8)]
)
def test_adcs_have_the_outputs_that_the_reference_sees(mapping, rows, columns, adcs):
    config = chip(rows=rows, columns=columns, adcs=adcs, slices=1, mapping=mapping)
    transposed, group = Signal(), Signal(8)
    outputs = [has_output(config, adc, transposed, group) for adc in range(adcs)]
    groups = by_direction(config, transposed, lambda direction: direction.groups)
    for way in range(len(config.directions)):
        direction = config.directions[way]
        cases = [(way, number) for number in range(direction.groups)]
        seen = outputs_seen(config, transposed=bool(way))[:adcs]
        found = evaluate([transposed, group], [*outputs, groups], cases)
        wanted = [(*map(int, seen[:, number]), direction.groups) for _, number in cases]
        assert found == wanted
