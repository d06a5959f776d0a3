"""Counters lose nothing while they are held, however long and however much comes meanwhile."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.counters import Counters, hold_cycles
from tests.support.amaranth_bench import Bench

LAYOUT = data.StructLayout({"flags": 64, "words": 64, "many": 64})
WIDTHS = {"flags": 1, "words": 3, "many": 10}
# One more amount than these come between two additions: a width that is not rounded up.
LONGEST = 15


class Counted(wiring.Component):
    """Counters of amounts of several widths."""

    def __init__(self):
        super().__init__(
            {"hold": In(1), **{name: In(bits) for name, bits in WIDTHS.items()}, "out": Out(LAYOUT)}
        )

    def elaborate(self, platform):
        m = Module()
        amounts = {name: Signal(bits, name=f"{name}_now") for name, bits in WIDTHS.items()}
        m.submodules.counters = counters = Counters(LAYOUT, amounts, LONGEST)
        m.d.comb += [signal.eq(getattr(self, name)) for name, signal in amounts.items()]
        m.d.comb += [counters.hold.eq(self.hold), self.out.eq(counters.counters)]
        return m


@pytest.mark.parametrize("largest", [False, True])
def test_all_that_happens_is_counted_once(largest):
    """Holds of all lengths, and amounts at their largest all the time or of any size."""
    dut = Counted()
    bench = Bench(dut, 2000)
    rng = np.random.default_rng(0)
    totals = [dict.fromkeys(WIDTHS, 0)] * 2

    async def job(ctx):
        for held in range(LONGEST + 1):
            kept = None
            for cycle in range(held + 4):
                ctx.set(dut.hold, cycle < held)
                shown = dict(zip(WIDTHS, (ctx.get(dut.out[name]) for name in WIDTHS), strict=True))
                if cycle <= held:
                    kept = kept or shown
                    assert shown == kept or not cycle
                if cycle > held + 1 or not held:
                    # Events of up to two cycles ago.
                    assert shown == totals[-2]
                now = {}
                for name, bits in WIDTHS.items():
                    top = (1 << bits) - 1
                    amount = top if largest else int(rng.integers(0, top + 1))
                    ctx.set(getattr(dut, name), amount)
                    now[name] = totals[-1][name] + amount
                totals.append(now)
                await ctx.tick()

    bench.sim.add_testbench(job)
    bench.run()


def test_counters_are_copied_by_words_of_32_bits():
    assert [hold_cycles(counters) for counters in (1, 26)] == [2, 52]
