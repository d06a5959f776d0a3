"""Compute what an array holds ahead of the RTL, many planes at a time.

What a tile will drive is foreseen from its vectors. The RTL's own drives are compared with that,
plane by plane: what was not foreseen is computed anew from what was really driven, with the noise
that it would have had if nothing had been computed ahead.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from hw.boundary.analog import Mode
from sim.harness.library import Bytes, Library, TileState, payloads
from sim.packing import unpack, unpack_word

MOST_PLANES = 1024
"""Planes from which on more at a time are no faster."""

MOST_BYTES = 32 << 20
"""Memory for the values held of these planes."""


@dataclass(frozen=True)
class Planned:
    """Planes that a tile is to drive next: their mode, and their codes [n, bytes] as its port."""

    mode: Mode
    codes: Bytes


class Ahead:
    """Physics behind the boundary of a tile of a `Library`.

    Parameters
    ----------
    library
        Design in which the tile is.
    tile, prefix
        Its number, and the beginning of the names of its ports.
    analog
        Its physics.
    """

    def __init__(self, library: Library, tile: int, prefix: str, analog: Analog):
        config = analog.config
        self.analog = analog
        self._library, self._tile, self._prefix = library, tile, prefix
        self._groups = max(direction.groups for direction in config.directions)
        each = 8 * self._groups * config.converters
        self._most = max(1, min(MOST_PLANES, MOST_BYTES // each))
        self._size = self._most
        self._planned: deque[Planned] = deque()
        # Index of the first plane that is planned, of all that are sampled.
        self._first = 0
        # Planes computed last: index of the first and of the one behind, codes, mode, draws before.
        self._from = self._to = 0
        self._mode = Mode.IDLE
        self._codes = np.zeros((0, config.drive_lines), np.int64)
        self._draws: list[Any] = []
        self.tables: set[int] = set()

    def plan(self, mode: Mode, codes: NDArray[np.int64]) -> None:
        """Foresee that planes [n, inputs] are driven after those planned before."""
        config = self.analog.config
        stored = self._library.port_bytes(f"{self._prefix}code")
        packed = payloads(len(codes), stored)
        self._library.pack(packed, codes, config.code_bits, 0)
        self._planned.append(Planned(mode, packed))

    def hold(self, state: TileState) -> None:
        """Sample the present drive, which was not computed ahead."""
        mode = Mode(state.mode)
        missed = state.sampled < self._to
        self._forget_from(state.sampled)
        self._size = 1 if missed else min(2 * self._size, self._most)
        codes = np.concatenate([state.driven[None], self._next(state.sampled + 1, mode)])
        self._from, self._to = state.sampled, state.sampled + len(codes)
        self._mode, self._draws = mode, self._positions()
        self._codes = self._decoded(codes)
        self._library.foresee(self._tile, mode.value, codes, self._held(self._codes))

    def add_tables(self) -> None:
        """Hand over the thresholds of the ADC steps that the tile samples with."""
        config = self.analog.config
        half = 1 << (config.converter.adc_bits - 1)
        bits = self._library.peek(f"{self._prefix}step")
        steps = unpack(bits, config.steps, signed=False).astype(int).tolist()
        for step in set(steps) - self.tables:
            adcs = self.analog.adcs(np.full(config.steps, step))
            levels = adcs.threshold(np.arange(-half, half + 1)[:, None]).T
            ends = np.ascontiguousarray(levels[:, [0, -1]])
            thresholds = np.ascontiguousarray(levels[:, :-1])
            self._library.set_table(self._tile, step, thresholds, ends)
            self.tables.add(step)

    def answer(self, state: TileState) -> None:
        """Answer the comparators."""
        config, library = self.analog.config, self._library
        select = unpack_word(library.peek(f"{self._prefix}select"))
        trial = unpack(library.peek(f"{self._prefix}trial"), config.converters)
        adcs, values = self.analog.adcs(state.steps), state.held[:, select]
        library.answer(self._tile, adcs.above(values, trial), adcs.beyond(values))

    def _next(self, index: int, mode: Mode) -> Bytes:
        """Return the codes of planned planes from `index` on, up to another mode."""
        planned = self._planned
        while planned and self._first + len(planned[0].codes) <= index:
            self._first += len(planned.popleft().codes)
        found, wanted, first = [], self._size - 1, self._first
        for each in planned:
            if not wanted or each.mode is not mode:
                break
            some = each.codes[max(0, index - first) :][:wanted]
            found.append(some)
            wanted -= len(some)
            first += len(each.codes)
        none = np.zeros((0, self._library.port_bytes(f"{self._prefix}code")), np.uint8)
        return np.concatenate([none, *found])

    def _decoded(self, codes: Bytes) -> NDArray[np.int64]:
        """Return the codes [n, drive_lines] of planes as their port has them."""
        config = self.analog.config
        copy = payloads(*codes.shape)
        copy[:] = codes
        return self._library.unpack(copy, config.drive_lines, config.code_bits, 0)

    def _held(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Drive and sample planes; return [n, groups, converters] in units."""
        transposed = self._mode is Mode.MVM_T
        inputs = self.analog.config.direction(transposed).inputs
        values = self.analog.hold(codes[:, :inputs], transposed=transposed).transpose(0, 2, 1)
        held = np.zeros((len(codes), self._groups, values.shape[2]))
        held[:, : values.shape[1]] = values
        return held

    def _forget_from(self, index: int) -> None:
        """Take back the draws of planes that were computed ahead, from `index` on."""
        if index >= self._to:
            return
        for stream, position in zip(self.analog.streams, self._draws, strict=True):
            stream.bit_generator.state = position
        if index > self._from:
            self._held(self._codes[: index - self._from])
        self._to = index

    def _positions(self) -> list[Any]:
        return [stream.bit_generator.state for stream in self.analog.streams]
