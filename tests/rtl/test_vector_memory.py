"""The vector memory, against an array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.machine.vector_memory import VectorMemory
from spec.isa import WORD_RANGE
from spec.load import load
from tests.support.monitors import simulator


@st.composite
def accesses(draw, words: int, lanes: int):
    """Draw what happens in each cycle: a read address or None, and a write or None."""
    address = st.integers(0, words - 1)
    vector = st.lists(st.integers(*WORD_RANGE), min_size=lanes, max_size=lanes)
    write = st.tuples(address, st.integers(0, (1 << lanes) - 1), vector)
    return draw(st.lists(st.tuples(st.none() | address, st.none() | write), max_size=40))


@pytest.mark.parametrize("words, lanes", [(1, 1), (16, 1), (4, 4), (32, 4), (16, 8)])
@given(data=st.data())
@settings(deadline=None, max_examples=12)
def test_accesses_at_any_address(words, lanes, data):
    cycles = data.draw(accesses(words, lanes))
    dut = VectorMemory(load("digits", vector_words=words, lanes=lanes))
    memory = np.zeros(words, np.int64)
    expected = None

    async def bench(ctx):
        nonlocal expected
        for address, write in cycles:
            ctx.set(dut.read.en, address is not None)
            ctx.set(dut.write.en, write is not None)
            if address is not None:
                ctx.set(dut.read.address, address)
                expected = memory[(address + np.arange(lanes)) % words].tolist()
            if write:
                start, mask, values = write
                ctx.set(dut.write.address, start)
                ctx.set(dut.write.mask, mask)
                for i, value in enumerate(values):
                    ctx.set(dut.write.data[i], value)
                    if mask >> i & 1:
                        memory[(start + i) % words] = value
            await ctx.tick()
            if expected is not None:
                assert [ctx.get(word) for word in dut.read.data] == expected

    sim = simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
