"""The model of the machine beside a simulated chip, compared after every instruction.

The model executes an instruction when the RTL has finished it. Compared are the address of the
instruction, its error code, all that it wrote to the vector memory and to scalars, and all counters
that do not depend on time; what the host reads is compared packet by packet, see
`ohmulator.host.simulated`.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge
from numpy.typing import NDArray

from golden.machine.effects import Effects
from golden.machine.machine import Machine
from golden.machine.programmer import write_verify
from golden.machine.scheduler import blocks
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from hw.machine.sequencer import TraceLayout
from sim.bridge import Bridge
from sim.packing import unpack_wide
from sim.signals import read_bits, read_flag, read_text
from spec.assembly import disassemble
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS, Counter
from spec.isa import PRODUCTS, WORD_BITS, ErrorCode, Opcode

COUNTERS_CYCLES = 3
"""From the end of an instruction to the cycle in which the counters know of it. The next one ends
later."""


class LockstepError(AssertionError):
    """RTL and model differ; the message says where."""


class Follower(Machine):
    """A model that the RTL tells when to abort, not the host."""

    def abort(self) -> None:
        pass

    def end(self) -> None:
        """Abort the program."""
        super().abort()


@dataclass
class Lockstep:
    """Follow a chip with `hw.top.trace.TracePort`.

    Attributes
    ----------
    model
        Where the RTL is to be.
    bridges
        Physics behind each tile.
    instructions
        Those followed since reset.
    cycle
        Of the clock, since reset.
    mismatch
        The first difference, in words; empty if there is none.
    opcodes
        Of the instructions since reset that did not fault.
    """

    dut: Any
    config: ChipConfig
    model: Follower = field(init=False)
    bridges: list[Bridge] = field(init=False)
    instructions: int = 0
    cycle: int = 0
    mismatch: str = ""
    opcodes: set[Opcode] = field(default_factory=set)

    def __post_init__(self) -> None:
        config, dut = self.config, self.dut
        self.model = Follower(config, write_verify)
        self.bridges = [
            Bridge(dut, copy.deepcopy(tile.analog), f"analog__{t}")
            for t, tile in enumerate(self.model.tiles)
        ]
        self._finished = dut.trace__finished
        self._instruction = dut.trace__instruction
        self._writes = dut.trace__write__en
        self._words: dict[int, int] = {}
        self._counters_unknown = False
        self._check_at = -1
        self._last = Effects(0)

    def set_tile(self, tile: int, weights: NDArray[np.int64], program_error: float = 0.0) -> None:
        """Set the conductances of a tile to weights [rows, columns], without programming it.

        The programming error, in levels, is at least that of the configuration.
        """
        config = self.model.tiles[tile].analog.config
        error = max(program_error, config.physics.cells.program_error)
        analog = Analog.programmed(config.replace(program_error=error), weights)
        self.bridges[tile].analog = copy.deepcopy(analog)
        self.model.tiles[tile] = Tile(self.config, analog)

    async def run(self) -> None:
        """Follow until RTL and model differ."""
        edge = FallingEdge(self.dut.clk)
        while not self.mismatch:
            await edge
            self.cycle += 1
            # Those of the host come while no program runs.
            if read_flag(self._writes) and self.model.status.running:
                self._note_words()
            if self.cycle == self._check_at:
                self._check_counters()
            if read_flag(self._finished):
                self._follow()

    def _note_words(self) -> None:
        dut = self.dut
        address = _number(read_text(dut.trace__write__address))
        mask = read_text(dut.trace__write__mask)[::-1]
        words = read_text(dut.trace__write__data)
        for i, written in enumerate(mask):
            if written == "1":
                end = len(words) - i * WORD_BITS
                self._words[address + i] = _number(words[end - WORD_BITS : end], signed=True)

    def _follow(self) -> None:
        text = read_text(self._instruction)
        words, self._words = self._words, {}
        pc, code = _field(text, "pc"), ErrorCode(_field(text, "code"))
        model = self.model
        if not model.status.running:
            self._differ(Effects(pc), "end of an instruction", "no program runs", f"pc {pc}")
            return
        if code is ErrorCode.ABORTED:
            self._abort(pc, words)
            return
        effects = self._last = model.step()
        self.instructions += 1
        if effects.instruction and code is ErrorCode.NONE:
            self.opcodes.add(effects.instruction.opcode)
        self._check_at = self.cycle + COUNTERS_CYCLES
        for what, expected, actual in (
            ("program counter", effects.pc, pc),
            ("error code", effects.code.name, code.name),
        ):
            if expected != actual:
                self._differ(effects, what, expected, actual)
                return
        self._check_words(effects, words)
        self._check_scalars(effects, text)

    def _abort(self, pc: int, words: dict[int, int]) -> None:
        """End the program of the model; take over what an instruction did that ended midway."""
        model = self.model
        if pc != model.status.pc:
            self._differ(Effects(pc), "program counter of the abort", model.status.pc, pc)
        model.end()
        for address, value in words.items():
            model.memories.vector[address] = value
        for t, bridge in enumerate(self.bridges):
            model.tiles[t] = Tile(self.config, copy.deepcopy(bridge.analog))
        self._counters_unknown = True
        self._check_at = self.cycle + COUNTERS_CYCLES

    def _check_words(self, effects: Effects, words: dict[int, int]) -> None:
        expected = {
            address + i: int(value)
            for address, values in effects.words
            for i, value in enumerate(values)
        }
        if words == expected:
            return
        at = min(a for a in words.keys() | expected.keys() if words.get(a) != expected.get(a))
        where = f"word {at} of the vector memory"
        instruction = effects.instruction
        if instruction and instruction.opcode in PRODUCTS and at in expected:
            where += self._place_in_product(effects, at)
        self._differ(effects, where, expected.get(at, "not written"), words.get(at, "not written"))

    def _place_in_product(self, effects: Effects, at: int) -> str:
        """Say which result a word is, and which tiles have added up what for it."""
        assert effects.instruction
        transposed = effects.instruction.opcode is Opcode.MVM_T
        rows, columns, _, first = map(
            int, self.model.memories.descriptors[effects.instruction.immediate]
        )
        name, summed = ("row", "columns") if transposed else ("column", "rows")
        length = rows if transposed else columns
        vector, result = divmod(at - effects.words[0][0], length)
        tiles = []
        for block in blocks(self.config, rows, columns, first):
            source, target = block.directed(transposed)
            if target.start <= result < target.stop:
                within = result - target.start
                parts = f"{summed} {source.start} to {source.stop - 1}"
                tiles.append(f"{block.tile} ({parts})")
        return (
            f"\n  vector        {vector}\n  {name:13} {result}, in its tiles {within}"
            f"\n  tiles         {', '.join(tiles)}"
        )

    def _check_scalars(self, effects: Effects, text: str) -> None:
        halves = _field(text, "halves")
        if not effects.scalars and not halves:
            return
        number, value = _field(text, "number"), _field(text, "scalar") if halves else 0
        if halves == 0b10 and number in effects.scalars:
            # The lower half stays.
            value = value >> WORD_BITS << WORD_BITS | effects.scalars[number] % (1 << WORD_BITS)
        actual = {number: value} if halves else {}
        if actual != effects.scalars:
            self._differ(effects, "scalars", effects.scalars, actual)

    def _check_counters(self) -> None:
        """Compare the counters, or after an abort take them over."""
        model = self.model
        tables: list[tuple[int | None, tuple[Counter, ...], dict[str, int]]] = [
            (None, CHIP_COUNTERS, model.chip_counters),
            *(
                (t, self.config.machine.tile_counters, each)
                for t, each in enumerate(model.tile_counters)
            ),
        ]
        count = sum(len(table) for _, table, _ in tables)
        actual = iter(unpack_wide(read_bits(self.dut.trace__counters), count, signed=False))
        for tile, table, expected in tables:
            for counter in table:
                got = int(next(actual))
                if counter.timed:
                    continue
                if self._counters_unknown:
                    expected[counter.name] = got
                elif expected[counter.name] != got:
                    where = "" if tile is None else f"\n  tile          {tile}"
                    what = f"counter {counter.name}{where}"
                    self._differ(self._last, what, expected[counter.name], got)
                    return
        self._counters_unknown = False

    def _differ(self, effects: Effects, what: str, expected: object, actual: object) -> None:
        if self.mismatch:
            return
        text = "none"
        if effects.instruction:
            text = disassemble([effects.instruction.encode()]).strip()
        self.mismatch = (
            "mismatch: RTL and model differ\n"
            f"  configuration {self.config.whole}\n"
            f"  instruction   {self.instructions} since reset, at {effects.pc}\n"
            f"  disassembly   {text}\n"
            f"  cycle         {self.cycle}\n"
            f"  difference    {what}\n"
            f"  expected      {expected}\n"
            f"  actual        {actual}"
        )


def _field(text: str, name: str) -> int:
    """Return a field of `TraceLayout`; others may be undefined."""
    member = TraceLayout[name]
    end = len(text) - member.offset
    return _number(text[end - member.width : end], signed=name == "scalar")


def _number(text: str, *, signed: bool = False) -> int:
    number = int(text, 2)
    return number - (1 << len(text)) if signed and text[0] == "1" else number
