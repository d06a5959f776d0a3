"""The vector memory: a beat of words in one access, at any address.

Word a lies in bank a mod `lanes`, so that neighbours never share a bank; banks and lanes differ by
a rotation.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.memory import TwoPortMemory
from hw.common.ranges import vector_address
from hw.common.signature import ParameterSignature
from spec.config import ChipConfig
from spec.isa import WORD_BITS


class LanesLayout(data.ArrayLayout):
    """Words of neighbouring addresses, the lowest first."""

    def __init__(self, config: ChipConfig, bits: int = WORD_BITS):
        super().__init__(signed(bits), config.machine.lanes)


class ReadPort(ParameterSignature):
    """Read a beat, seen from the user.

    Members
    -------
    en : Out, 1
        Read in this cycle.
    address : Out, `vector_address`
        Address of the lowest word; behind the last word of the memory follows the first.
    data : In, `LanesLayout`
        Words that were read, from the next cycle until the next `en`; arbitrary before the first.
    """

    def __init__(self, config: ChipConfig, bits: int = WORD_BITS):
        super().__init__(
            {
                "en": Out(1),
                "address": Out(vector_address(config)),
                "data": In(LanesLayout(config, bits)),
            },
            config=config,
            bits=bits,
        )


class WritePort(ParameterSignature):
    """Write a beat, seen from the user.

    Members
    -------
    en : Out, 1
        Write in this cycle. A read in the same cycle gives the old words.
    address : Out, `vector_address`
        Address of the lowest word; behind the last word of the memory follows the first.
    mask : Out, `lanes`
        A bit for each word that is written.
    data : Out, `LanesLayout`
    """

    def __init__(self, config: ChipConfig, bits: int = WORD_BITS):
        super().__init__(
            {
                "en": Out(1),
                "address": Out(vector_address(config)),
                "mask": Out(config.machine.lanes),
                "data": Out(LanesLayout(config, bits)),
            },
            config=config,
            bits=bits,
        )


class VectorMemory(wiring.Component):
    """Keep `vector_words` signed words of `bits`.

    Members
    -------
    read : In, `ReadPort`
    write : In, `WritePort`
    """

    def __init__(self, config: ChipConfig, bits: int = WORD_BITS):
        self.config, self.bits = config, bits
        super().__init__({"read": In(ReadPort(config, bits)), "write": In(WritePort(config, bits))})

    def elaborate(self, platform):
        lanes = self.config.machine.lanes
        low_bits = lanes.bit_length() - 1
        depth = self.config.machine.vector_words // lanes
        m = Module()

        def split(address: Value) -> tuple[Value, Value]:
            """Return the rotation of the words against the banks, and the row of the first bank."""
            return address[:low_bits], address[low_bits:]

        read_turn, read_row = split(self.read.address)
        write_turn, write_row = split(self.write.address)
        turn = Signal(range(lanes))
        with m.If(self.read.en):
            m.d.sync += turn.eq(read_turn)
        words = _rotated(self.write.data, write_turn, left=False)
        mask = _rotated(self.write.mask, write_turn, left=False)

        values = []
        for bank in range(lanes):
            m.submodules[f"bank_{bank}"] = memory = TwoPortMemory(signed(self.bits), depth)
            # Banks below the first one that is touched are a row further.
            m.d.comb += [
                memory.read_en.eq(self.read.en),
                memory.read_address.eq(read_row + (bank < read_turn)),
                memory.write_en.eq(self.write.en & mask[bank]),
                memory.write_address.eq(write_row + (bank < write_turn)),
                memory.write_data.eq(words[bank]),
            ]
            values.append(memory.read_data)
        for word, value in zip(self.read.data, _rotated(values, turn, left=True), strict=True):
            m.d.comb += word.eq(value)
        return m


def share(m: Module, memory: VectorMemory, users: Sequence[wiring.Component]) -> None:
    """Connect a memory with its users, which have a `read` and a `write` port each.

    No two of them may read, or write, in the same cycle.
    """
    for user in users:
        m.d.comb += user.read.data.eq(memory.read.data)
        with m.If(user.read.en):
            m.d.comb += [memory.read.en.eq(1), memory.read.address.eq(user.read.address)]
        with m.If(user.write.en):
            m.d.comb += [
                memory.write.en.eq(1),
                memory.write.address.eq(user.write.address),
                memory.write.mask.eq(user.write.mask),
                memory.write.data.eq(user.write.data),
            ]


def _rotated(items: Sequence[Value] | Value, by: Value, *, left: bool) -> list[Value]:
    """Return the items rotated: to the left, item `by` comes first."""
    rotated = list(items)
    count = len(rotated)
    for bit in range(len(by)):
        far = (1 << bit) if left else -(1 << bit)
        rotated = [Mux(by[bit], rotated[(i + far) % count], rotated[i]) for i in range(count)]
    return rotated
