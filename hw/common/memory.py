"""Memories, one component for each kind, for which an ASIC has macros of its own.

What they hold is undefined until it is written, and so is a word that is read in the cycle in which
it is written. A platform with a true `blackbox_memories` puts black boxes in their place.
"""

import re

from amaranth.hdl import ClockSignal, Instance, Module, Shape, ShapeLike, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import Flow, In, Out

from hw.common.blackbox import blackbox
from hw.common.ranges import index

NAME = re.compile(r"ohmulator_memory_([12])p_(\d+)x(\d+)")
"""Names of black boxes: ports, words, and bits of a word."""


class _Memory(wiring.Component):
    """Hold `depth` words of a `shape`; `ports` ways lead to them."""

    ports: int

    def __init__(self, shape: ShapeLike, depth: int):
        self.shape, self.depth = Shape.cast(shape), depth
        super().__init__(self.members(shape, depth))

    @staticmethod
    def members(shape: ShapeLike, depth: int) -> dict[str, wiring.Member]:
        """Return the members of a memory."""
        raise NotImplementedError

    def _storage(self, m: Module, platform: object) -> memory.Memory | None:
        """Return the storage of a simulator or an FPGA; None where there is a black box."""
        if getattr(platform, "blackbox_memories", False):
            pins = {
                f"{'i' if member.flow is Flow.In else 'o'}_{name}": getattr(self, name)
                for name, member in self.signature.members.items()
            }
            kind = f"ohmulator_memory_{self.ports}p_{self.depth}x{self.shape.width}"
            m.submodules.macro = Instance(kind, i_clk=ClockSignal(), **pins)
            return None
        storage = memory.Memory(shape=self.shape, depth=self.depth, init=[])
        m.submodules.storage = storage
        return storage


class SinglePortMemory(_Memory):
    """Read or write one word a cycle.

    Parameters
    ----------
    shape
        Word.
    depth
        Number of words.

    Members
    -------
    en : In, 1
        Read, or write, in this cycle.
    write : In, 1
    address : In, index(depth)
    write_data : In, `shape`
    read_data : Out, `shape`
        Word that was read, from the next cycle until the next `en`.
    """

    ports = 1

    @staticmethod
    def members(shape, depth):
        return {
            "en": In(1),
            "write": In(1),
            "address": In(index(depth)),
            "write_data": In(shape),
            "read_data": Out(shape),
        }

    def elaborate(self, platform):
        m = Module()
        if storage := self._storage(m, platform):
            load, store = storage.read_port(), storage.write_port()
            m.d.comb += [
                load.en.eq(self.en & ~self.write),
                store.en.eq(self.en & self.write),
                load.addr.eq(self.address),
                store.addr.eq(self.address),
                store.data.eq(self.write_data),
                self.read_data.eq(load.data),
            ]
        return m


class TwoPortMemory(_Memory):
    """Read one word a cycle, and write one.

    Parameters
    ----------
    shape
        Word.
    depth
        Number of words.

    Members
    -------
    read_en, write_en : In, 1 each
    read_address, write_address : In, index(depth) each
    write_data : In, `shape`
    read_data : Out, `shape`
        Word that was read, from the next cycle until the next `read_en`.
    """

    ports = 2

    @staticmethod
    def members(shape, depth):
        return {
            "read_en": In(1),
            "read_address": In(index(depth)),
            "read_data": Out(shape),
            "write_en": In(1),
            "write_address": In(index(depth)),
            "write_data": In(shape),
        }

    def elaborate(self, platform):
        m = Module()
        if storage := self._storage(m, platform):
            load, store = storage.read_port(), storage.write_port()
            m.d.comb += [
                load.en.eq(self.read_en),
                load.addr.eq(self.read_address),
                self.read_data.eq(load.data),
                store.en.eq(self.write_en),
                store.addr.eq(self.write_address),
                store.data.eq(self.write_data),
            ]
        return m


def memory_stubs(verilog: str) -> str:
    """Return the empty modules of all black boxes that some Verilog has instances of."""
    kinds = {"1": SinglePortMemory, "2": TwoPortMemory}
    found = ""
    for ports, depth, bits in sorted(set(NAME.findall(verilog))):
        members = kinds[ports].members(unsigned(int(bits)), int(depth))
        pins = [("clk", True, 1)]
        for pin, member in members.items():
            pins.append((pin, member.flow is Flow.In, Shape.cast(member.shape).width))
        found += blackbox(f"ohmulator_memory_{ports}p_{depth}x{bits}", pins)
    return found
