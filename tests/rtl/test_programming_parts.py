"""Parts that program a tile, each on its own: digits of weights, and the walk over the cells."""

import numpy as np
import pytest

from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from golden.tile.write_verify import targets
from hw.machine.cell_walk import CellWalk
from hw.tile.weights import Digits
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize(("cell_bits", "slices"), [(1, 1), (4, 1), (1, 3), (2, 2), (3, 2), (2, 3)])
def test_every_weight_has_the_levels_of_the_reference(mapping, cell_bits, slices):
    fields = {"cell_bits": cell_bits, "slices": slices, "mapping": mapping}
    config = chip(rows=1, columns=1, adcs=1, **fields)
    low, high = config.weight_range
    dut = Digits(config)
    bench = Bench(dut, 20000)

    async def job(ctx):
        for weight in range(low, high + 1):
            levels = cell_levels(config, slice_weights(config, [[weight]]))[:, 0]
            ctx.set(dut.weight, weight)
            ctx.set(dut.load, 1)
            await ctx.tick()
            ctx.set(dut.load, 0)
            for s in reversed(range(slices)):
                wanted = levels[s, :2].tolist() if mapping == "differential" else [levels[s, 0]] * 2
                # They stay until the next is asked for.
                for _ in range(2):
                    assert list(ctx.get(dut.levels)) == wanted, (weight, s)
                    await ctx.tick()
                ctx.set(dut.next, 1)
                await ctx.tick()
                ctx.set(dut.next, 0)

    bench.sim.add_testbench(job)
    bench.run()


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize(
    ("rows", "columns", "adcs", "slices"), [(1, 1, 1, 1), (3, 4, 2, 2), (2, 6, 2, 1), (4, 3, 3, 3)]
)
@pytest.mark.parametrize(("top", "left", "address"), [(0, 0, 0), (4, 12, 100)])
def test_the_walk_meets_every_cell_in_order(
    mapping, rows, columns, adcs, slices, top, left, address
):
    """Each cell comes with its weight, of a matrix that ends within the block, twice."""
    fields = {"rows": rows, "columns": columns, "adcs": adcs, "slices": slices, "mapping": mapping}
    config = chip(
        cell_bits=2, adc_bits=7, dac_bits=4, vector_words=64, weight_words=1 << 12, **fields
    )
    size = top + max(1, rows - 1), left + max(1, columns - 1)
    cells = targets(config, np.zeros((rows, columns), int))
    both = slices * rows * columns
    assert len(cells.rows) == (2 * both if mapping == "differential" else both + rows)
    dut = CellWalk(config)
    bench = Bench(dut, 20000)

    async def job(ctx):
        ctx.set(dut.rows, size[0])
        ctx.set(dut.columns, size[1])
        ctx.set(dut.weights, address)
        ctx.set(dut.block, {"number": 0, "tile": 0, "top": top, "left": left})
        for _ in range(2):
            ctx.set(dut.restart, 1)
            await ctx.tick()
            ctx.set(dut.restart, 0)
            seen = []
            for _ in cells.rows:
                # It waits for whoever programs the cell.
                await ctx.tick()
                cell = ctx.get(dut.cell)
                seen.append([cell[name] for name in ("slice", "row", "adc", "group", "side")])
                check(ctx, cell, len(seen) == len(cells.rows))
                ctx.set(dut.advance, 1)
                await ctx.tick()
                ctx.set(dut.advance, 0)
            wanted = (cells.slices, cells.rows, cells.adcs, cells.groups, cells.sides)
            np.testing.assert_array_equal(seen, np.stack(wanted, axis=1))

    def check(ctx, cell, last):
        unit = mapping == "offset" and bool(cell["side"])
        assert ctx.get(dut.unit_column) == unit
        assert ctx.get(dut.last) == last
        column = 0 if unit else cell["adc"] * config.forward.groups + cell["group"]
        row = top + cell["row"]
        assert ctx.get(dut.inside) == (row < size[0] and left + column < size[1]) or unit
        if not unit:
            assert ctx.get(dut.address) == address + row * size[1] + left + column
        # Of two sides the second is the last with a weight; the unit column's cell has none.
        ends = bool(cell["side"]) if mapping == "differential" else True
        before_unit = not unit and cell["slice"] == slices - 1 and column == columns - 1
        assert ctx.get(dut.renews) == (ends and not (mapping == "offset" and before_unit))

    bench.sim.add_testbench(job)
    bench.run()
