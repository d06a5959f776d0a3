"""The machine: memories, a sequencer, a vector unit and tiles; executes programs bit-exactly.

It is the reference of the RTL, instruction by instruction, and one of the backends of the host.
"""

from collections.abc import Sequence

import numpy as np

from golden.array.lines import Array
from golden.draws import tile_seed
from golden.machine import vector_unit
from golden.machine.effects import Effects, Status
from golden.machine.inversion_unit import invert
from golden.machine.memories import Memories, Words, require_or
from golden.machine.product_unit import multiply
from golden.machine.programmer import Programmer, set_directly
from golden.machine.tile_bank import TileBank
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS, NOT_COUNTED, Counter
from spec.errors import require_integer
from spec.instruction import Instruction, unknown_opcodes
from spec.isa import (
    OPERATIONS,
    RIGHT_SHIFTS,
    SHIFTS,
    WORD_BITS,
    WORD_RANGE,
    ErrorCode,
    MachineError,
    Opcode,
    Space,
)
from spec.packet import identity


def blank_tile(config: ChipConfig, tile: int) -> Analog:
    """Return the analogue part of a tile as it comes from the foundry, with draws of its own."""
    config = config.replace(seed=tile_seed(config.physics.seed, tile))
    return Analog(config, Array(config))


class Machine:
    """A chip, as its host sees it.

    Parameters
    ----------
    config
        The chip.
    programmer
        How tiles are programmed; `set_directly` unless given.

    Attributes
    ----------
    status
        Whether a program runs, and how the last one ended.
    bank
        `golden.machine.tile_bank.TileBank` of the tiles, as `blank_tile` has them at first.
    chip_counters, tile_counters
        Values since reset, without those that depend on time.
    identity, spaces
        As `golden.link.responder.Responder` is given them.

    Raises
    ------
    UserError
        If the physics cannot be computed for the configuration, or `programmer` is another than
        `set_directly`, which alone reads no cells, and the ADC cannot tell their levels.
    """

    def __init__(self, config: ChipConfig, programmer: Programmer = set_directly):
        if programmer is not set_directly:
            config.require_verifiable()
        self.config = config
        self.identity, self.spaces = identity(config), Space
        self.status = Status(False, ErrorCode.NONE, 0)
        self.chip_counters = {c.name: 0 for c in CHIP_COUNTERS if not c.timed}
        self.tile_counters = [
            {c.name: 0 for c in config.machine.tile_counters if not c.timed}
            for _ in range(config.machine.tiles)
        ]
        self.memories = Memories(config)
        tiles = [Tile(config, blank_tile(config, tile)) for tile in range(config.machine.tiles)]
        self.bank = TileBank(config, self.memories, tiles, programmer)
        self._unknown = unknown_opcodes(config)
        self._steps = np.full(config.steps, config.forward.covering_step, np.int64)

    @property
    def tiles(self) -> list[Tile]:
        """The tiles, which may be exchanged one by one."""
        return self.bank.tiles

    # Host

    def write(self, space: Space, address: int, words: Sequence[int] | Words) -> None:
        """Write words of 32 bits, 0 to 2**32 - 1, from an address on.

        Raises
        ------
        MachineError
            BUSY, RANGE or VALUE.
        UserError
            If the words are none, or space or address are of a wrong type.
        """
        self._refuse_while_running()
        self.memories.write(space, address, words)

    def read(self, space: Space, address: int, count: int) -> Words:
        """Return `count` words of 32 bits from an address on.

        Raises
        ------
        MachineError
            BUSY or RANGE.
        UserError
            If space, address or count are of a wrong type.
        """
        self._refuse_while_running()
        return self.memories.read(space, address, count)

    def counters(self) -> list[int]:
        """Return the counters of the chip, then those of each tile, in the order of the tables.

        Those that depend on time are `NOT_COUNTED`.
        """
        tables: list[tuple[Sequence[Counter], dict[str, int]]] = [
            (CHIP_COUNTERS, self.chip_counters)
        ]
        tables += [(self.config.machine.tile_counters, counters) for counters in self.tile_counters]
        return [
            NOT_COUNTED if counter.timed else counters[counter.name]
            for table, counters in tables
            for counter in table
        ]

    def start(self, pc: int = 0) -> None:
        """Begin to run the program at an address of 32 bits; `step` executes it.

        Raises
        ------
        MachineError
            BUSY.
        UserError
            If it is no such address.
        """
        self._refuse_while_running()
        pc = require_integer("address to start at", pc, 0, (1 << WORD_BITS) - 1)
        self._steps[:] = self.config.forward.covering_step
        self.status = Status(True, ErrorCode.NONE, pc)

    def run(self, pc: int = 0) -> None:
        """Run the program at an address of 32 bits to its end.

        Raises
        ------
        MachineError
            BUSY, or why and where the program stopped.
        UserError
            If it is no such address.
        """
        self.start(pc)
        while self.status.running:
            self.step()
        if self.status.code is not ErrorCode.NONE:
            raise MachineError(self.status.code, self.status.pc)

    def abort(self) -> None:
        """Stop the program, if one runs, before its next instruction."""
        if self.status.running:
            self.status = Status(False, ErrorCode.ABORTED, self.status.pc)

    def _refuse_while_running(self) -> None:
        require_or(not self.status.running, ErrorCode.BUSY)

    # Execution

    def step(self) -> Effects:
        """Execute one instruction and return what it did.

        Whatever is raised, the machine has stopped: ABORTED, with the program counter at the
        instruction. Of this nothing has happened but to tiles that it was programming.

        Raises
        ------
        ValueError
            If no program runs.
        """
        if not self.status.running:
            raise ValueError("no program runs: call start() first")
        effects = Effects(self.status.pc)
        try:
            next_pc = self._execute(effects)
        except MachineError as error:
            effects.code = error.code
            self.status = Status(False, error.code, effects.pc)
            return effects
        except BaseException:
            # A failing programmer or an interrupt must not leave a program that nobody runs.
            self.status = Status(False, ErrorCode.ABORTED, effects.pc)
            raise
        if effects.code is ErrorCode.NONE:
            effects.count("instructions", 1)
        for address, values in effects.words:
            self.memories.vector[address : address + len(values)] = values
        for number, value in effects.scalars.items():
            self.memories.scalars[number] = value
        for tile, amounts in effects.counters.items():
            counters = self.chip_counters if tile is None else self.tile_counters[tile]
            for name, amount in amounts.items():
                counters[name] += amount
        pc = effects.pc if next_pc is None else next_pc
        self.status = Status(next_pc is not None, effects.code, pc)
        return effects

    def _execute(self, effects: Effects) -> int | None:
        """Execute the instruction at `effects.pc`; return where to go on, or None to stop."""
        config = self.config
        if not 0 <= effects.pc < config.machine.program_words:
            raise MachineError(ErrorCode.PROGRAM_COUNTER)
        memories = self.memories
        effects.instruction = instruction = Instruction.decode(int(memories.program[effects.pc]))
        opcode, immediate = instruction.opcode, instruction.immediate
        require_or(opcode not in self._unknown, ErrorCode.ILLEGAL)
        d, a, b, c, n = (int(memories.scalars[getattr(instruction, name)]) for name in "dabcn")
        target = immediate % (1 << WORD_BITS)
        next_pc = effects.pc + 1

        def result(value: int) -> None:
            effects.scalars[instruction.d], saturations = vector_unit.saturate_scalar(value)
            effects.count("saturations", saturations)

        match opcode:
            case Opcode.HALT:
                return None
            case Opcode.JUMP:
                return target
            case Opcode.BEQ:
                return target if a == b else next_pc
            case Opcode.BNE:
                return target if a != b else next_pc
            case Opcode.BLT:
                return target if a < b else next_pc
            case Opcode.BGE:
                return target if a >= b else next_pc
            case Opcode.LOOP:
                result(max(d - 1, 0))
                return target if d > 1 else next_pc
            case Opcode.SET:
                result(immediate)
            case Opcode.SETH:
                result((immediate << WORD_BITS) + d % (1 << WORD_BITS))
            case Opcode.ADD:
                result(a + b)
            case Opcode.SUB:
                result(a - b)
            case Opcode.ADDI:
                result(a + immediate)
            case Opcode.LOAD:
                result(int(memories.words(a + immediate, 1)[0]))
            case Opcode.STORE:
                memories.words(a + immediate, 1)
                word, saturations = vector_unit.saturate_scalar(b, WORD_RANGE)
                effects.words.append((a + immediate, np.array([word])))
                effects.count("saturations", saturations)
            case Opcode.STEP:
                low, high = config.step_range
                require_or(0 <= immediate < config.steps and low <= a <= high, ErrorCode.OPERAND)
                self._steps[immediate] = a
            case Opcode.MVM:
                multiply(self.bank, effects, immediate, d, a, c, n, self._steps, transposed=False)
            case Opcode.MVM_T:
                multiply(self.bank, effects, immediate, d, a, c, n, self._steps, transposed=True)
            case Opcode.INV:
                invert(self.bank, effects, immediate, d, a, b, c, n)
                if effects.code is not ErrorCode.NONE:
                    return None
            case _:
                self._compute(effects, opcode, d, a, b, c, n)
        return next_pc

    def _compute(
        self, effects: Effects, opcode: Opcode, d: int, a: int, b: int, c: int, n: int
    ) -> None:
        """Execute an instruction of the vector unit."""
        low, high = WORD_RANGE
        allowed = {
            Opcode.VSHIFT: SHIFTS[0] <= c <= SHIFTS[1],
            Opcode.VSCALE: low <= b <= high and RIGHT_SHIFTS[0] <= c <= RIGHT_SHIFTS[1],
            Opcode.VCLAMP: low <= b <= c <= high,
        }
        require_or(allowed.get(opcode, True), ErrorCode.OPERAND)
        operation = OPERATIONS[opcode]
        sources = [self.memories.words(address, n) for address in (a, b)[: len(operation.sources)]]
        first, second = sources[0], sources[-1]
        if operation.destination:
            self.memories.words(d, n)
            for address in (a, b)[: len(sources)]:
                require_or(address == d or abs(address - d) >= n, ErrorCode.OVERLAP)
            words, saturations = vector_unit.map_words(opcode, first, second, b, c)
            effects.words.append((d, words))
        else:
            exact = (
                vector_unit.dot(first, second)
                if opcode is Opcode.VDOT
                else vector_unit.block_exponent(first)
            )
            value, saturations = vector_unit.saturate_scalar(exact)
            assert effects.instruction
            effects.scalars[effects.instruction.d] = value
        effects.count("saturations", saturations)
