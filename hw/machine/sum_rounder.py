"""Finished sums to words of the vector memory.

word = sum >> shift, rounded to the nearest, halves up, and saturated to 32 bits
"""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, tree_sum
from hw.common.ranges import vector_address
from hw.machine.sum_walk import SumLayout
from hw.machine.vector_memory import WritePort
from spec.config import ChipConfig
from spec.isa import RIGHT_SHIFTS, WORD_BITS


class SumRounder(wiring.Component):
    """Shift, round, saturate and write sums; one cycle.

    Members
    -------
    valid : In, 1
        The sum is there in this cycle.
    sum : In, `SumLayout`
    sums : In, `lanes` x signed(partial_bits)
    shift : In, range(64)
        Stays while `busy`.
    busy : Out, 1
    write : Out, `WritePort`
    saturations : Out, range(lanes + 1)
        Words that are clamped in this cycle.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        lanes = config.machine.lanes
        super().__init__(
            {
                "valid": In(1),
                "sum": In(SumLayout(config)),
                "sums": In(data.ArrayLayout(signed(config.partial_bits), lanes)),
                "shift": In(range(RIGHT_SHIFTS[1] + 1)),
                "busy": Out(1),
                "write": Out(WritePort(config)),
                "saturations": Out(range(lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config, write = self.config, self.write
        m = Module()
        valid = Signal()
        destination = Signal(vector_address(config), reset_less=True)
        mask = Signal(config.machine.lanes, reset_less=True)
        m.d.sync += [
            valid.eq(self.valid),
            destination.eq(self.sum.destination),
            mask.eq(self.sum.mask),
        ]
        m.d.comb += [
            self.busy.eq(valid),
            write.en.eq(valid),
            write.address.eq(destination),
            write.mask.eq(mask),
        ]
        saturated = []
        for lane, total in enumerate(self.sums):
            # The lowest bit is what was shifted out last, and rounds.
            shifted = Signal(
                signed(config.partial_bits + 1), name=f"shifted_{lane}", reset_less=True
            )
            rounded = Signal(signed(config.partial_bits), name=f"rounded_{lane}")
            m.d.sync += shifted.eq((total << 1) >> self.shift)
            m.d.comb += rounded.eq((shifted + 1) >> 1)
            word, outside = clamp(rounded, signed(WORD_BITS))
            m.d.comb += write.data[lane].eq(word)
            saturated.append(mask[lane] & outside)
        with m.If(valid):
            m.d.comb += self.saturations.eq(tree_sum(saturated))
        return m
