"""Bring answers of the array into the clock domain of the periphery.

A flip-flop that samples a signal while it changes may stay undecided for a while. What is
synchronous to the clock enters as it is; all else passes a chain of flip-flops, each of which gives
an undecided one before it a cycle to decide itself. A value comes out of the chain as many cycles
late as it is long, so that whoever asks must not take the answer to an earlier question for the
one to its own.
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig


def synchronized(m: Module, name: str, value: Value, stages: int) -> Value:
    """Return a value `stages` cycles late, each bit through flip-flops; 0 stages are none."""
    if not stages:
        return value
    late = Signal(len(value), name=f"{name}_late")
    m.submodules[f"{name}_synchronizer"] = FFSynchronizer(value, late, stages=stages)
    return late


class Settling(wiring.Component):
    """Tell when the array has settled for the present drive, or the present pulse is over.

    The cycles from the strobe until the first answer to it has passed the synchroniser are waited
    for, since what comes out of it until then is of the drive before.

    Members
    -------
    strobe : In, 1
    settled : In, 1
        As in `hw.boundary.analog.AnalogPort`.
    done : Out, 1
        Low in the cycle of the strobe; once high it stays so until the next.
    """

    def __init__(self, config: ChipConfig):
        self._stages = config.array.settled_sync
        super().__init__({"strobe": In(1), "settled": In(1), "done": Out(1)})

    def elaborate(self, platform):
        m = Module()
        settled = synchronized(m, "settled", self.settled, self._stages)
        # Bit i: the strobe was i + 1 cycles ago.
        begun = Signal(self._stages)
        stale = Cat(self.strobe, begun)
        m.d.sync += begun.eq(stale)
        m.d.comb += self.done.eq(settled & ~stale.any())
        return m
