"""Registers on AXI4-Lite: addresses between them are refused, and change nothing."""

import pytest

from hw.link.axi_registers import OKAY, SLVERR, AxiRegisters
from spec.registers import COUNTER_BASE, address
from tests.support.amaranth_bench import Bench

IDENTITY = list(range(100, 112))


def access(writes: list[int], reads: list[int]) -> tuple[list[int], list[tuple[int, int]], int]:
    """Return the answers to writes of 1, those to reads with their words, and aborts."""
    dut = AxiRegisters(IDENTITY, 2)
    axi = dut.s_axil
    bench = Bench(dut, 2000)
    answers: list[int] = []
    words: list[tuple[int, int]] = []
    aborts = 0

    async def watch(ctx):
        nonlocal aborts
        async for *_, abort in ctx.tick().sample(dut.abort):
            aborts += abort

    async def drive(ctx):
        ctx.set(dut.counters[1], 0x0123456789ABCDEF)
        for at in writes:
            for channel, payload in (("aw", {"addr": at}), ("w", {"data": 1, "strb": 15})):
                for name, value in payload.items():
                    ctx.set(getattr(axi, channel + name), value)
                ctx.set(getattr(axi, f"{channel}valid"), 1)
                await ctx.tick().until(getattr(axi, f"{channel}ready"))
                ctx.set(getattr(axi, f"{channel}valid"), 0)
            # The answer waits; the monitors see that it does not change.
            await ctx.tick().repeat(3)
            ctx.set(axi.bready, 1)
            (answer,) = await ctx.tick().sample(axi.bresp).until(axi.bvalid)
            ctx.set(axi.bready, 0)
            answers.append(answer)
        for at in reads:
            ctx.set(axi.araddr, at)
            ctx.set(axi.arvalid, 1)
            await ctx.tick().until(axi.arready)
            ctx.set(axi.arvalid, 0)
            await ctx.tick().repeat(3)
            ctx.set(axi.rready, 1)
            word, answer = await ctx.tick().sample(axi.rdata, axi.rresp).until(axi.rvalid)
            ctx.set(axi.rready, 0)
            words.append((answer, word))

    bench.answer(watch)
    bench.sim.add_testbench(drive)
    bench.run()
    return answers, words, aborts


CONTROL = address("control")


def test_a_write_aborts_at_the_address_of_the_register_alone():
    answers, _, aborts = access([CONTROL + part for part in range(4)], [])
    assert (answers, aborts) == ([OKAY, SLVERR, SLVERR, SLVERR], 1)


@pytest.mark.parametrize("base, word", [(0, 100), (COUNTER_BASE + 8, 0x89ABCDEF)])
def test_a_read_finds_a_register_at_its_address_alone(base, word):
    _, words, _ = access([], [base + part for part in range(4)])
    assert words == [(OKAY, word), *[(SLVERR, 0)] * 3]


def test_a_refused_read_keeps_no_high_word():
    low, high = COUNTER_BASE + 8, COUNTER_BASE + 12
    _, words, _ = access([], [low, COUNTER_BASE + 1, high])
    assert words == [(OKAY, 0x89ABCDEF), (SLVERR, 0), (OKAY, 0x01234567)]
