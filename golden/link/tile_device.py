"""A tile alone behind a responder; see `spec.tile_link`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from golden.tile.tile import Tile
from golden.tile.write_verify import Targets, program, read
from spec.counters import NOT_COUNTED, TILE_COUNTERS
from spec.isa import WORD_BITS, ErrorCode, MachineError
from spec.tile_link import (
    TARGET,
    TileOperation,
    TileSpace,
    require_tile_link,
    tile_identity,
    tile_operations,
    tile_words,
    word_limits,
)


@dataclass
class TileState:
    """Tell whether an operation runs, why the last one ended, and its number."""

    running: bool = False
    code: ErrorCode = ErrorCode.NONE
    pc: int = 0


class TileDevice:
    """The reference of `hw.link.tile_device.TileDevice`.

    Attributes
    ----------
    config
        Configuration of the tile.
    memory
        Words of each space, of 0 to 2**32 - 1.
    status
        State of the operation that runs, or of the last one; `step` executes it.
    identity, spaces
        As `golden.link.responder.Responder` is given them.

    Raises
    ------
    UserError
        If results are wider than a word, or no cell can be verified.
    """

    def __init__(self, tile: Tile):
        self.config = config = tile.config
        require_tile_link(config)
        self.status = TileState()
        self.identity, self.spaces = tile_identity(config), TileSpace
        self.memory = {space: [0] * size for space, size in tile_words(config).items()}
        self._tile = tile
        self._limits = word_limits(config)
        self._counters = dict.fromkeys((counter.name for counter in TILE_COUNTERS), 0)

    def read(self, space: int, address: int, count: int) -> Iterable[int]:
        """Return words; see `golden.link.responder.Device`."""
        self._require_place(space, address, count)
        return self.memory[TileSpace(space)][address : address + count]

    def write(self, space: int, address: int, words: list[int]) -> None:
        """Write words; see `golden.link.responder.Device`."""
        self._require_place(space, address, len(words))
        self.memory[TileSpace(space)][address : address + len(words)] = words

    def start(self, pc: int) -> None:
        """Start an operation."""
        self._require_rest()
        self.status = TileState(True, ErrorCode.NONE, pc)

    def abort(self) -> None:
        """Do nothing: an operation ends by itself."""

    def step(self) -> None:
        """Execute the operation that runs."""
        number = self.status.pc
        code = ErrorCode.NONE
        try:
            if number not in tile_operations(self.config):
                raise MachineError(ErrorCode.ILLEGAL)
            if number in (TileOperation.PROGRAM, TileOperation.READ):
                self._use_cell(reads=number == TileOperation.READ)
            else:
                self._multiply(transposed=number == TileOperation.PRODUCT_T)
        except MachineError as error:
            code = error.code
        self.status = TileState(False, code, number)

    def counters(self) -> Sequence[int]:
        """Return the counters of the tile."""
        timed = {counter.name: counter.timed for counter in TILE_COUNTERS}
        return [NOT_COUNTED if timed[name] else count for name, count in self._counters.items()]

    def _multiply(self, *, transposed: bool) -> None:
        config = self.config
        direction = config.direction(transposed)
        inputs = self._operands(TileSpace.INPUT, direction.inputs)
        steps = self._operands(TileSpace.STEP, config.steps)
        made = self._tile.multiply(np.array([inputs]), np.array(steps), transposed=transposed)
        words = [_word(result) for result in made.results[0].tolist()]
        self.memory[TileSpace.RESULT][: len(words)] = words
        self._counters["drives"] += config.planes
        self._counters["conversions"] += config.planes * direction.groups * config.converters
        for name in ("clips_high", "clips_low", "saturations"):
            self._counters[name] += int(getattr(made, name)[0])

    def _use_cell(self, *, reads: bool) -> None:
        fields = self._operands(TileSpace.TARGET, len(TARGET))
        cell = Targets(*(np.array([field]) for field in fields))
        outcome = (read if reads else program)(self._tile.analog, cell)
        success, code, pulses = (
            int(each[0]) for each in (outcome.success, outcome.codes, outcome.pulses)
        )
        self.memory[TileSpace.OUTCOME] = [success, _word(code), pulses]
        self._counters["reads"] += pulses + 1
        self._counters["pulses"] += pulses
        self._counters["failures"] += not (success or reads)

    def _operands(self, space: TileSpace, count: int) -> list[int]:
        """Return the first words of a space as signed numbers, each within its limits."""
        half = 1 << WORD_BITS - 1
        numbers = [(word ^ half) - half for word in self.memory[space][:count]]
        for number, (low, high) in zip(numbers, self._limits[space][:count], strict=True):
            if not low <= number <= high:
                raise MachineError(ErrorCode.OPERAND)
        return numbers

    def _require_rest(self) -> None:
        if self.status.running:
            raise MachineError(ErrorCode.BUSY)

    def _require_place(self, space: int, address: int, count: int) -> None:
        self._require_rest()
        if address + count > len(self.memory[TileSpace(space)]):
            raise MachineError(ErrorCode.RANGE)


def _word(number: int) -> int:
    """Return a signed number as a word of 0 to 2**32 - 1."""
    return number % (1 << WORD_BITS)
