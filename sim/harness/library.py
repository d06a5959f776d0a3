"""Call the library of a simulated design: streams, boundaries of tiles, and events.

Arrays are handed over by address: whoever does so keeps them alive as long as they are used, and
they are contiguous.
"""

import ctypes
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spec.config import ChipConfig

PADDING = 8
"""Bytes behind the last payload that packing and unpacking may touch."""

Bytes = NDArray[np.uint8]


class Event(enum.IntEnum):
    """Reason for which a simulation stops."""

    LIMIT = 0
    """The clock has reached the cycle that was asked for."""
    STARVED = 1
    """A source has nothing more to offer."""
    FULL = 2
    """A sink has as many payloads as were asked for."""
    FELL = 3
    """The valid of a sink fell before the transfer."""
    CHANGED = 4
    """The payload of a sink changed while it waited."""
    SILENT = 5
    """No sink has taken anything for too long."""
    TABLE = 6
    """A tile samples with ADC steps whose thresholds are not known."""
    HOLD = 7
    """A tile samples what was not foreseen."""
    CELL = 8
    """A tile drives a cell, which no product needs."""
    ASK = 9
    """A tile without thresholds compares."""
    TRACE = 10
    """A cycle of a tile is to be recorded."""


@dataclass(frozen=True)
class TileState:
    """Hold what a tile does at present.

    Attributes
    ----------
    sampled
        Planes of products sampled so far.
    mode
        Of the present drive.
    steps
        [steps], ADC steps of the values held.
    held
        [converters, groups] in units.
    driven
        Port `code` when the present drive began.
    above
        [converters], last answers of the comparators.
    """

    sampled: int
    mode: int
    steps: NDArray[np.int64]
    held: NDArray[np.float64]
    driven: Bytes
    above: NDArray[np.bool_]


class Library:
    """A simulated design, of which a process has one.

    Parameters
    ----------
    path
        Shared library that `sim.harness.toolchain` built.
    config
        Configuration of the design.
    """

    def __init__(self, path: Path, config: ChipConfig):
        self._config = config
        self._library = ctypes.CDLL(str(path))
        self._library.bench_port_name.restype = ctypes.c_char_p
        self._library.bench_port_bits.restype = ctypes.c_uint64
        self._library.bench_port_bytes.restype = ctypes.c_uint64
        self._groups = max(direction.groups for direction in config.directions)
        self._kept: dict[Any, Any] = {}
        self.cycle = 0
        self._ports = {}
        for number in range(self._call("bench_open")):
            name = self._library.bench_port_name(ctypes.c_uint64(number)).decode()
            self._ports[name] = number

    def _call(self, name: str, *arguments: Any) -> int:
        return int(getattr(self._library, name)(*map(_argument, arguments)))

    # Ports

    def port_bytes(self, name: str) -> int:
        """Return the bytes in which a port is stored, the least significant first."""
        return self._call("bench_port_bytes", self._ports[name])

    def peek(self, name: str) -> Bytes:
        """Return the bits of a port, the most significant first, as 0 and 1."""
        stored = np.zeros(self.port_bytes(name), np.uint8)
        self._call("bench_peek", self._ports[name], stored)
        bits = self._call("bench_port_bits", self._ports[name])
        return np.unpackbits(stored, bitorder="little")[:bits][::-1]

    def poke(self, name: str, value: int) -> None:
        """Drive a port of up to 64 bits from the next falling edge of the clock on."""
        stored = value.to_bytes(self.port_bytes(name), "little")
        self._call("bench_poke", self._ports[name], np.frombuffer(stored, np.uint8))

    # Time

    def wait(self, cycles: int) -> None:
        """Let cycles pass in which ports keep their values, and nothing is answered."""
        self._call("bench_pass", cycles)

    def begin(self, patience: int) -> None:
        """Begin anew in cycle 0, without streams and tiles; `patience` is that of `SILENT`."""
        self._kept.clear()
        self.cycle = 0
        self._call("bench_begin", patience)

    def run(self, until: int) -> Event:
        """Simulate up to an event, at the latest in cycle `until`, and return it."""
        cycle = ctypes.c_uint64()
        event = self._call("bench_run", until, ctypes.byref(cycle))
        self.cycle = cycle.value
        return Event(event)

    # Streams

    def add_source(self, ports: Sequence[str], idle: Sequence[int]) -> None:
        """Add a source at ports valid, ready, payload; `idle` as in `sim.streams.Source`."""
        self._add("bench_add_source", ports, idle)

    def add_sink(self, ports: Sequence[str], stall: Sequence[int]) -> None:
        """Add a sink at ports valid, ready, payload; `stall` as in `sim.streams.Sink`."""
        self._add("bench_add_sink", ports, stall)

    def _add(self, function: str, ports: Sequence[str], pauses: Sequence[int]) -> None:
        cycles = np.array(pauses, np.uint32)
        self._kept[function, ports[0]] = cycles
        names = [ctypes.c_char_p(name.encode()) for name in ports]
        self._call(function, *names, cycles, len(cycles))

    def offer(self, source: int, payloads: Bytes, taken: NDArray[np.uint64]) -> None:
        """Let a source offer payloads [n, bytes], and note the cycle [n] in which each is taken."""
        self._kept["offer", source] = payloads, taken
        self._call("bench_offer", source, payloads, len(taken), taken)

    def stop(self, source: int) -> None:
        """Let a source offer nothing more."""
        self.offer(source, payloads(0, 0), np.zeros(0, np.uint64))

    def collect(
        self, sink: int, payloads: Bytes, offered: NDArray[np.uint64], taken: NDArray[np.uint64]
    ) -> None:
        """Let a sink take payloads [n, bytes], and note the cycles in which each came and went."""
        self._kept["collect", sink] = payloads, offered, taken
        self._call("bench_collect", sink, payloads, len(taken), offered, taken)

    def close(self, sink: int) -> None:
        """Let a sink take no more."""
        none = np.zeros(0, np.uint64)
        self.collect(sink, payloads(0, 0), none, none)

    # Tiles

    def add_tile(self, prefix: str) -> None:
        """Add the boundary whose ports begin with a prefix."""
        settle = self._config.settle_cycles - 1
        self._call("bench_add_tile", ctypes.c_char_p(prefix.encode()), settle)

    def log(
        self,
        tile: int,
        cycles: NDArray[np.uint64],
        codes: Bytes,
        found: NDArray[np.int64],
    ) -> None:
        """Note cycle [n], codes [n, bytes] and found codes [n, groups, converters] of planes.

        Plane p of all that are sampled is noted at p modulo n.
        """
        self._kept["log", tile] = cycles, codes, found
        self._call("bench_log", tile, len(cycles), cycles, codes, found)

    def foresee(self, tile: int, mode: int, codes: Bytes, held: NDArray[np.float64]) -> None:
        """Hand over what will be held, [n, groups, converters], of the next planes [n, bytes].

        If they are driven so. The first of them is not compared: answer `Event.HOLD` with it.
        """
        self._kept["foresee", tile] = codes, held
        self._call("bench_foresee", tile, mode, len(held), codes, held)

    def set_table(
        self, tile: int, step: int, thresholds: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> None:
        """Hand over thresholds [converters, 2**adc_bits] and ends of the range [converters, 2]."""
        self._kept["table", tile, step] = thresholds, ends
        self._call("bench_set_table", tile, step, thresholds, ends)

    def answer(self, tile: int, above: NDArray[np.bool_], beyond: NDArray[np.bool_]) -> None:
        """Answer the comparators [converters]."""
        self._call("bench_answer", tile, above, beyond)

    def state(self, tile: int, prefix: str) -> TileState:
        """Return what a tile is at."""
        config = self._config
        sampled, mode = ctypes.c_uint64(), ctypes.c_uint64()
        steps = np.zeros(config.steps, np.int64)
        held = np.zeros((self._groups, config.converters))
        driven = np.zeros(self.port_bytes(f"{prefix}code"), np.uint8)
        above = np.zeros(config.converters, bool)
        where = ctypes.byref(sampled), ctypes.byref(mode)
        self._call("bench_state", tile, *where, steps, held, driven, above)
        return TileState(sampled.value, mode.value, steps, held.T, driven, above)

    def trace(self, on: bool) -> None:
        """Stop in every cycle, for `Event.TRACE`."""
        self._call("bench_trace", on)

    # Numbers

    def pack(self, payloads: Bytes, numbers: NDArray[np.int64], width: int, offset: int) -> None:
        """Put numbers [n, count] of `width` bits into payloads [n, bytes], from bit `offset` on.

        The bits must be 0 before; the array must come from `payloads`.
        """
        n, count = numbers.shape
        numbers = np.ascontiguousarray(numbers)
        self._call("pack_numbers", numbers, n, count, width, offset, payloads, payloads.shape[1])

    def unpack(self, payloads: Bytes, count: int, width: int, offset: int) -> NDArray[np.int64]:
        """Return signed numbers [n, count] of `width` bits, from bit `offset` of each payload on.

        The array must come from `payloads`.
        """
        n, stored = payloads.shape
        numbers = np.zeros((n, count), np.int64)
        self._call("unpack_numbers", payloads, n, stored, count, width, offset, numbers)
        return numbers


def payloads(count: int, stored: int) -> Bytes:
    """Return payloads [count, stored] of zeros that may be packed and unpacked."""
    return np.zeros(count * stored + PADDING, np.uint8)[: count * stored].reshape(count, stored)


def _argument(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_uint64(value) if isinstance(value, int) else value
