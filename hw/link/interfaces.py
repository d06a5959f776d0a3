"""Ports and layouts of the link: words of packets, the spaces of a device, and its control."""

from collections.abc import Mapping

from amaranth.hdl import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hw.common.layouts import fields_layout
from hw.common.signature import ParameterSignature
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS, Space
from spec.packet import HEADER_FIELDS, LINE_COUNTERS, LINK_COUNTERS, STATE_FIELDS
from spec.tile_link import TileSpace

HeaderLayout = fields_layout(HEADER_FIELDS)
StateLayout = fields_layout(STATE_FIELDS)
LineCounters = data.StructLayout(dict.fromkeys(LINE_COUNTERS, WORD_BITS))
LinkCounters = data.StructLayout(dict.fromkeys(LINK_COUNTERS, WORD_BITS))

Sizes = Mapping[Space, int] | Mapping[TileSpace, int]
"""Words of each space of a device."""

SPACE_BITS = max(Shape.cast(spaces).width for spaces in (Space, TileSpace))
"""Width of the number of a space of any device."""

PlaceLayout = data.StructLayout({"space": SPACE_BITS, "address": WORD_BITS})
"""A word of a device."""

WriteLayout = data.StructLayout({"space": SPACE_BITS, "address": WORD_BITS, "data": WORD_BITS})
"""A word of a device, and its new value."""

CommandWord = data.StructLayout({"data": WORD_BITS, "last": 1, "damaged": 1})
"""A word of a packet to the chip. `damaged` counts with `last` only."""

ReplyWord = data.StructLayout({"data": WORD_BITS, "last": 1})
"""A word of a packet from the chip."""


class ControlPort(ParameterSignature):
    """Start, stop and watch a program, seen from the host's side.

    Parameters
    ----------
    counters
        Number of performance counters of the device.

    Members
    -------
    run : Out, 1
        In this cycle, which comes only while `state.running` is low, the program starts.
        `state.running` is high from the next cycle on.
    pc : Out, 32
        Instruction where it starts.
    abort : Out, 1
        In this cycle the program is told to end; `state.running` falls when it has. Nothing
        happens if none runs.
    state : In, `StateLayout`
    position : In, 32
        Program counter; of where the program ended if it has.
    hold : Out, 1
        Keep the counters as they are in this cycle. It comes for at most
        `hw.common.counters.hold_cycles` in a row; what is to be counted meanwhile is not lost.
    counters : In, `counters` x 64
    """

    def __init__(self, counters: int):
        super().__init__(
            {
                "run": Out(1),
                "pc": Out(WORD_BITS),
                "abort": Out(1),
                "state": In(StateLayout),
                "position": In(WORD_BITS),
                "hold": Out(1),
                "counters": In(data.ArrayLayout(COUNTER_BITS, counters)),
            },
            counters=counters,
        )


class MemoryPort(ParameterSignature):
    """Access the spaces by words, seen from the host's side.

    Accesses by `write` and `read` are in range, and come only while no program runs.

    Members
    -------
    probe : Out, `WriteLayout`
        Word that a packet would write.
    unfit : In, 1
        In the same cycle: the space cannot hold the word of `probe`. Arbitrary if space or address
        are out of range.
    write : Out, stream of `WriteLayout`
    read : Out, stream of `PlaceLayout`
    data : In, stream of 32 bits
        The words asked for by `read`, in order, after any delay.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "probe": Out(WriteLayout),
                "unfit": In(1),
                "write": Out(stream.Signature(WriteLayout)),
                "read": Out(stream.Signature(PlaceLayout)),
                "data": In(stream.Signature(WORD_BITS)),
            }
        )
