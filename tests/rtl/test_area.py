"""Cells and area of top levels."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.tools import area, verilog
from tests.support.configs import chip
from tests.support.share import first


class Sum(wiring.Component):
    """A register that a sum of 8 bits goes to, and a memory of 4 words of 8."""

    def __init__(self, config):
        super().__init__({"a": In(8), "b": In(8), "out": Out(8), "at": In(2), "word": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=4, init=[])
        store, load = memory.write_port(), memory.read_port(domain="comb")
        total = Signal(8)
        m.d.comb += [total.eq(self.a + self.b), load.addr.eq(self.at), self.word.eq(load.data)]
        m.d.comb += [store.en.eq(1), store.addr.eq(self.at), store.data.eq(self.a)]
        m.d.sync += self.out.eq(total)
        return m


def test_a_small_design_is_counted(monkeypatch):
    monkeypatch.setitem(verilog.TOPS, "sum", Sum)
    found = area.measure(chip(), "sum")
    assert (found.flip_flop_bits, found.memory_bits) == (8, 32)
    assert found.nand2["adders and comparators"] == pytest.approx(8 * area.FULL_ADDER)
    # With a synchronous reset.
    assert found.nand2["flip-flops"] == pytest.approx(8 * (area.DFF + area.AND))


@pytest.mark.parametrize("top", first(sorted(verilog.TOPS, key="chip_uart".__ne__), 1))
def test_no_top_level_has_latches(top):
    config = chip(tiles=2, vector_words=64, program_words=32, weight_words=64)
    assert area.measure(config, top).flip_flop_bits > 100


def test_a_latch_is_refused():
    cell = {"type": "$dlatch", "connections": {}, "parameters": {}}
    with pytest.raises(ValueError, match=r"top has a cell \$dlatch, which is a latch or unknown"):
        area._area({"top": {"cells": {"x": cell}}}, "top", {})
