"""Parts of the product unit at the ends of their ranges, each on its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import connect

from golden.machine.scheduler import Block, rounds
from hw.machine.descriptors import Descriptors
from hw.machine.holdings import Holdings
from hw.machine.operand_loader import OperandLoader
from hw.machine.partial_sums import PartialSums
from hw.machine.vector_memory import VectorMemory
from spec.config import ChipConfig
from spec.isa import DESCRIPTOR_FIELDS, WORD_RANGE
from tests.support.amaranth_bench import Bench
from tests.support.product_unit import read_words, small

WORDS = 64
"""Words of the vector memory of `small`."""


def round_of(
    batch: Sequence[Block], rows: int, columns: int, count: int, transposed: bool, **fields: int
) -> dict[str, Any]:
    """Return a `RoundLayout`; fields that are not given are 0."""

    def block(each: Block) -> dict[str, int]:
        corner = {"top": each.rows.start, "left": each.columns.start}
        return {"number": each.number, "tile": each.tile, **corner}

    tiles = {each.tile: each.directed(transposed)[0].start for each in batch}
    return {
        "transposed": transposed,
        "rows": rows,
        "columns": columns,
        "count": count,
        "batch": {
            "first": block(batch[0]),
            "last": block(batch[-1]),
            "blocks": len(batch),
            "active": sum(1 << tile for tile in tiles),
            "starts": [tiles.get(tile, 0) for tile in range(max(tiles) + 1)],
        },
        **fields,
    }


async def begin(ctx: Any, run: Any, work: dict[str, Any]) -> None:
    ctx.set(run.round, work)
    ctx.set(run.start, 1)
    await ctx.tick()
    ctx.set(run.start, 0)


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize(
    ("rows", "columns", "count", "transposed"),
    [
        (WORDS, 1, 1, False),
        (1, 1, WORDS, False),
        (1, WORDS, 1, True),
        (1, 1, WORDS, True),
        (31, 3, 2, False),
        (7, 31, 2, True),
    ],
)
def test_vectors_that_fill_the_memory(rows, columns, count, transposed, lanes):
    """Tiles get their parts of all vectors in each round, and a clipped input counts once."""
    config = small(tiles=4, lanes=lanes)
    length = columns if transposed else rows
    source = WORDS - count * length
    memory = np.random.default_rng(0).integers(-60, 60, WORDS)
    low, high = config.input_range
    vectors = memory[source:].reshape(count, length)
    m = Module()
    m.submodules.loader = loader = OperandLoader(config)
    m.submodules.memory = words = VectorMemory(config)
    connect(m, loader.read, words.read)
    bench = Bench(m, 3000)
    clips = 0

    async def run_round(ctx: Any, batch: Sequence[Block]) -> dict[int, list[list[int]]]:
        nonlocal clips
        got: dict[int, list[list[int]]] = {block.tile: [] for block in batch}
        work = round_of(batch, rows, columns, count, transposed, source=source)
        await begin(ctx, loader.run, work)
        while ctx.get(loader.run.busy) or any(len(each) < count for each in got.values()):
            clips += ctx.get(loader.clips)
            for tile, port in enumerate(loader.vectors):
                if ctx.get(port.valid):
                    got[tile].append(list(ctx.get(port.payload.x)))
            await ctx.tick()
        return got

    async def job(ctx: Any) -> None:
        ctx.set(words.write.en, 1)
        ctx.set(words.write.mask, 1)
        for address, word in enumerate(memory.tolist()):
            ctx.set(words.write.address, address)
            ctx.set(words.write.data[0], word)
            await ctx.tick()
        ctx.set(words.write.en, 0)
        for port in loader.vectors:
            ctx.set(port.ready, 1)
        for batch in rounds(config, rows, columns, 1):
            got = await run_round(ctx, batch)
            for block in batch:
                part = vectors[:, block.directed(transposed)[0]].clip(low, high)
                zeros = config.drive_lines - part.shape[1]
                assert got[block.tile] == np.pad(part, [(0, 0), (0, zeros)]).tolist()

    bench.sim.add_testbench(job)
    bench.run()
    assert clips == ((vectors < low) | (vectors > high)).sum() > 0


WIDE = {"cell_bits": 6, "slices": 5, "input_bits": 8, "adc_bits": 12}
"""Results of 52 bits or so."""


def sums_of(
    config: ChipConfig, work: list[tuple[dict[str, Any], Sequence[Block], np.ndarray]], adds: int
) -> tuple[dict[int, int], int]:
    """Run rounds, given with their blocks and with results [tiles, count, outputs].

    Returns
    -------
    words
        By address; each is written once.
    saturations
        Of all of them.
    """
    dut = PartialSums(config)
    bench = Bench(dut, adds)
    words: dict[int, int] = {}
    saturations = 0

    def watch(ctx: Any) -> None:
        nonlocal saturations
        saturations += ctx.get(dut.saturations)
        if ctx.get(dut.write.en):
            mask, address = ctx.get(dut.write.mask), ctx.get(dut.write.address)
            for lane in range(config.machine.lanes):
                if mask >> lane & 1:
                    assert address + lane not in words
                    words[address + lane] = ctx.get(dut.write.data[lane])

    async def job(ctx: Any) -> None:
        for round_, batch, results in work:
            groups = config.direction(bool(round_["transposed"])).groups
            queues = {
                block.tile: [
                    {"group": g, "sums": vector[g::groups]}
                    for vector in results[i].tolist()
                    for g in range(groups)
                ]
                for i, block in enumerate(batch)
            }
            await begin(ctx, dut.run, round_)
            while ctx.get(dut.run.busy):
                for tile, queue in queues.items():
                    port = dut.results[tile]
                    ctx.set(port.valid, bool(queue))
                    if queue:
                        ctx.set(port.payload, queue[0])
                        if ctx.get(port.ready):
                            queue.pop(0)
                watch(ctx)
                await ctx.tick()
            assert not any(queues.values())

    bench.sim.add_testbench(job)
    bench.run()
    return words, saturations


@pytest.mark.parametrize("end", ["lowest", "highest", "mixed"])
@pytest.mark.parametrize(
    ("rows", "columns", "count", "transposed", "shift"),
    [
        # As many column blocks as a vector can have: sums as wide as any.
        (3, WORDS, 1, True, 0),
        (3, WORDS, 1, True, 24),
        (3, WORDS, 1, True, 48),
        (3, WORDS, 1, True, 63),
        # Sums that wait in every word.
        (WORDS, 3, 1, True, 32),
        # Results that fill the memory: one of the longest, and most of the shortest.
        (4, WORDS, 1, False, 20),
        (1, 1, WORDS, False, 1),
        (1, 1, WORDS, True, 31),
    ],
)
def test_sums_at_the_ends_of_their_range(rows, columns, count, transposed, shift, end):
    config = small(tiles=4, **WIDE)
    assert config.partial_bits > 48
    low, high = -(1 << config.result_bits - 1), (1 << config.result_bits - 1) - 1
    outputs = rows if transposed else columns
    total = np.zeros((count, outputs), object)
    rng = np.random.default_rng(0)
    work = []
    for batch in rounds(config, rows, columns, 3):
        shape = len(batch), count, config.direction(transposed).outputs
        ends = {"lowest": low, "highest": high, "mixed": rng.integers(low, high, shape)}
        results = np.full(shape, ends[end])
        for block, of_block in zip(batch, results, strict=True):
            place = block.directed(transposed)[1]
            total[:, place] += of_block[:, : place.stop - place.start]
        fields = {"destination": WORDS - count * outputs, "shift": shift}
        work.append((round_of(batch, rows, columns, count, transposed, **fields), batch, results))
    rounded = (total * 2 >> shift) + 1 >> 1
    words = rounded.clip(*WORD_RANGE)
    assert sums_of(config, work, 4000) == (
        {WORDS - words.size + i: word for i, word in enumerate(words.ravel().tolist())},
        (words != rounded).sum(),
    )


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
@pytest.mark.parametrize(
    ("rows", "columns", "transposed"),
    [(5, 16, False), (7, 9, False), (1, 3, False), (16, 5, True), (9, 7, True), (3, 1, True)],
)
def test_results_of_tiles_that_take_several_beats(rows, columns, transposed, lanes):
    """Also where the last block ends before its tile does, within a beat or between two."""
    fields = {"rows": 7, "columns": 7, "adcs": 7, "tiles": 3, "lanes": lanes}
    config = small(**fields, cell_bits=1, slices=1)
    count, outputs = 2, rows if transposed else columns
    rng = np.random.default_rng(0)
    total = np.zeros((count, outputs), int)
    work = []
    for batch in rounds(config, rows, columns, 1):
        results = rng.integers(-50, 50, (len(batch), count, 7))
        for block, of_block in zip(batch, results, strict=True):
            place = block.directed(transposed)[1]
            total[:, place] += of_block[:, : place.stop - place.start]
        fields = {"destination": 5, "shift": 0}
        work.append((round_of(batch, rows, columns, count, transposed, **fields), batch, results))
    wanted = {5 + i: word for i, word in enumerate(total.ravel().tolist())}
    assert sums_of(config, work, 2000) == (wanted, 0)


@pytest.mark.parametrize("order", ["up", "down"])
def test_descriptors_of_as_many_matrices_as_there_are(order):
    """Every word apart, in either order; every field of every matrix fetched; changes told."""
    config = small(matrices=4)
    fields = [field.name for field in DESCRIPTOR_FIELDS]
    words = np.random.default_rng(0).integers(0, 1 << 32, (4, len(fields))).tolist()
    dut = Descriptors(config)
    bench = Bench(dut, 1000)

    async def job(ctx: Any) -> None:
        ctx.set(dut.host.write, 1)
        every = [word for row in words for word in row]
        for place in range(len(every))[:: 1 if order == "up" else -1]:
            ctx.set(dut.host.address, place)
            ctx.set(dut.host.data, every[place])
            assert ctx.get(dut.renewed) and ctx.get(dut.matrix) == place // len(fields) + 1
            await ctx.tick()
        ctx.set(dut.host.write, 0)
        assert not ctx.get(dut.renewed)
        assert await read_words(ctx, dut.host, len(every)) == every
        for matrix in (3, 0, 2, 1):
            ctx.set(dut.number, matrix)
            ctx.set(dut.fetch, 1)
            await ctx.tick()
            ctx.set(dut.fetch, 0)
            while not ctx.get(dut.fetched):
                await ctx.tick()
            descriptor = ctx.get(dut.descriptor)
            got = [descriptor[field] % (1 << 32) for field in fields]
            assert got == words[matrix]

    bench.sim.add_testbench(job)
    bench.run()


@pytest.mark.parametrize(("tiles", "matrices"), [(1, 1), (4, 4), (2, 5)])
def test_holdings_of_any_tile_and_matrix(tiles, matrices):
    """Words of the host, and blocks of the first and of the last matrix in every tile."""
    dut = Holdings(small(tiles=tiles, matrices=matrices))
    bench = Bench(dut, 1000)
    ends = [1, matrices]
    blocks = [0, (1 << 32) - 1, 1 << 31]

    async def words(ctx: Any) -> list[int]:
        return await read_words(ctx, dut.host, 2 * tiles)

    async def pulse(ctx: Any, name: str) -> None:
        ctx.set(getattr(dut, name), 1)
        await ctx.tick()
        ctx.set(getattr(dut, name), 0)

    async def job(ctx: Any) -> None:
        known = [0] * 2 * tiles
        for matrix in ends:
            for block in blocks:
                for tile in range(tiles):
                    ctx.set(dut.tile, tile)
                    ctx.set(dut.holding, {"block": block, "matrix": matrix})
                    await pulse(ctx, "keep")
                    known[2 * tile : 2 * tile + 2] = block, matrix
                    assert ctx.get(dut.holds)
                    # Not another block, nor a block of another matrix.
                    for bit in (1, 1 << 31):
                        ctx.set(dut.holding.block, block ^ bit)
                        assert not ctx.get(dut.holds)
                    ctx.set(dut.holding, {"block": block, "matrix": 0})
                    assert not ctx.get(dut.holds)
                    assert await words(ctx) == known
        await pulse(ctx, "forget")
        known[-1] = 0
        assert await words(ctx) == known
        ctx.set(dut.matrix, matrices)
        await pulse(ctx, "renewed")
        assert await words(ctx) == [word * (i % 2 == 0) for i, word in enumerate(known)]
        written = [word for tile in range(tiles) for word in (~tile % (1 << 32), ends[tile % 2])]
        ctx.set(dut.host.write, 1)
        for address, word in enumerate(written):
            ctx.set(dut.host.address, address)
            ctx.set(dut.host.data, word)
            await ctx.tick()
        ctx.set(dut.host.write, 0)
        assert await words(ctx) == written

    bench.sim.add_testbench(job)
    bench.run()
