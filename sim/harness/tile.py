"""Do jobs on a tile of a `sim.harness.library`, as `sim.tb_tile` does them in a simulator."""

import contextlib
import copy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.converter.dac import input_planes
from hw.boundary.analog import Mode
from sim.foreseen import Foreseen
from sim.harness.ahead import Ahead
from sim.harness.library import Bytes, Event, Library, payloads
from sim.job import TileJob, TileOutcome
from sim.scoreboard import NOT_FOUND, REMEMBERED_PRODUCTS, Plane, Scoreboard
from sim.tile_outcome import Duration, Programmed, patience_cycles, summed_up
from sim.waves import BoundaryTrace

PREFIX = "analog__"
"""Begins the names of the ports of the boundary."""

VECTORS = RESULTS = 0
"""Number of the source, and of the sink."""

RUN_CYCLES = 1 << 17
"""Cycles after which a run gives a sign of life, at the latest."""

NEVER = 1 << 62
"""Cycle that no clock reaches."""

BROKEN = {
    Event.FELL: "tile.results__valid fell before the transfer",
    Event.CHANGED: "tile.results__payload changed while it waited",
    Event.CELL: "a cell is driven by products",
}
"""Rules of streams, as `sim.streams.Sink` tells of them."""


class ResetDueError(Exception):
    """The clock has reached the cycle in which an attempt ends."""


def _ports(stream: str) -> list[str]:
    return [f"{stream}__{part}" for part in ("valid", "ready", "payload")]


class TileHarness:
    """Drive a tile, put physics behind it, compare it with the model.

    Parameters
    ----------
    library
        The design.
    job
        What it is to do.
    folder
        Where its waveform goes.
    tell
        Is told now and then how many cells and products are done.
    """

    def __init__(self, library: Library, job: TileJob, folder: Path, tell: Callable[[int], None]):
        self._library, self._job, self._folder, self._tell = library, job, folder, tell
        self._config = job.config
        self._direction = job.config.direction(job.transposed)
        self._done = 0
        self._trace: BoundaryTrace | None = None
        self._foreseen: Foreseen
        self._ahead: Ahead
        self._log: PlaneLog

    def run(self) -> TileOutcome:
        """Do the whole job, after an attempt that a reset ends if that is wanted."""
        self._reset(3)
        if self._job.reset_after:
            with contextlib.suppress(ResetDueError):
                self._attempt(self._job.reset_after)
            self._reset(1)
        return self._attempt(NEVER)

    def _reset(self, cycles: int) -> None:
        library = self._library
        library.poke("rst", 1)
        library.wait(cycles)
        # Not earlier: what a reset interrupts may still write in the cycle in which it begins.
        handshakes = "vectors__valid", "results__ready", "targets__valid", "outcomes__ready"
        for name in (*handshakes, "hold"):
            library.poke(name, 0)
        library.poke("rst", 0)
        library.wait(1)

    def _attempt(self, limit: int) -> TileOutcome:
        """Multiply, unless the clock reaches `limit`."""
        job, library = self._job, self._library
        self._begin(limit)
        if job.trace_cycles:
            self._record(job.trace_cycles)
        foreseen = self._foreseen
        scoreboard = Scoreboard(
            self._config, foreseen, self._log.plane, transposed=job.transposed, kept=job.kept
        )
        began, began_cpu = time.perf_counter(), time.process_time()
        try:
            latencies = self._multiply(scoreboard)
            duration = Duration(
                time.perf_counter() - began - foreseen.seconds,
                time.process_time() - began_cpu - foreseen.cpu_s,
                latencies,
            )
            # The counters are two registers behind.
            self._limit = library.cycle + 4
            with contextlib.suppress(ResetDueError):
                self._run_until_full()
        finally:
            if self._trace:
                self._trace.close()
        return summed_up(
            job,
            foreseen,
            scoreboard,
            library.peek("counters"),
            Programmed(None, None, 0),
            duration,
            self._ahead.analog.array.g_s,
        )

    def _begin(self, limit: int) -> None:
        """Attach streams and physics anew."""
        job, library = self._job, self._library
        self._limit, self._done, self._given = limit, 0, 0
        library.begin(patience_cycles(job))
        library.add_source(_ports("vectors"), job.idle)
        library.add_sink(_ports("results"), job.stall)
        library.add_tile(PREFIX)
        self._ahead = Ahead(library, 0, PREFIX, copy.deepcopy(job.behind or job.analog))
        self._foreseen = Foreseen(job, copy.deepcopy(job.analog))
        self._log = PlaneLog(library, job, self._foreseen.size)
        self._started = np.zeros(len(job.vectors), np.uint64)

    def _run_until_full(self) -> None:
        """Simulate until a sink has taken all that was asked for.

        Raises
        ------
        ResetDueError
            If the clock has reached the limit.
        """
        library = self._library
        while True:
            event = library.run(min(self._limit, library.cycle + RUN_CYCLES))
            if event is Event.FULL:
                return
            if event is Event.LIMIT:
                self._tell(self._done)
                if library.cycle >= self._limit:
                    raise ResetDueError
            elif event is Event.STARVED:
                self._give()
            elif event in BROKEN:
                raise AssertionError(BROKEN[event])
            elif event is Event.SILENT:
                cycles = patience_cycles(self._job)
                raise AssertionError(f"nothing came out for {cycles} cycles")
            else:
                self._answer(event)

    def _answer(self, event: Event) -> None:
        """Answer what the boundary asks."""
        if event is Event.TABLE:
            self._ahead.add_tables()
            return
        state = self._library.state(0, PREFIX)
        if event is Event.HOLD:
            self._ahead.hold(state)
        elif event is Event.ASK:
            self._ahead.answer(state)
        else:
            assert self._trace
            if self._library.cycle == 0:
                # The first cycle of a waveform is that of the first drive.
                return
            self._trace.cycle(state.held, state.steps, state.above, self._ahead.analog)
            self._library.trace(self._trace.left > 0)

    def _record(self, cycles: int) -> None:
        """Record the boundary from now on."""
        path = self._folder / "boundary.vcd"
        library = self._library

        def read(name: str) -> NDArray[np.uint8]:
            return library.peek(f"{PREFIX}{name}")

        self._trace = BoundaryTrace(path, read, self._config, self._job.period_ns, cycles)
        library.trace(True)

    def _multiply(self, scoreboard: Scoreboard) -> NDArray[np.int64]:
        """Run all products past the scoreboard, and return the latency [n] of each."""
        library, groups, count = self._library, self._direction.groups, len(self._job.vectors)
        size = self._foreseen.size
        self._give()
        offered = np.zeros(count, np.int64)
        stored = library.port_bytes("results__payload")
        for start in range(0, count, size):
            some = min(size, count - start)
            taken = payloads(some * groups, stored)
            cycles = np.zeros((2, some * groups), np.uint64)
            library.collect(RESULTS, taken, *cycles)
            self._run_until_full()
            first, last = cycles.astype(np.int64)[:, groups - 1 :: groups]
            offered[start : start + some] = first
            scoreboard.check(self._decode(taken), last)
            self._done += some
            self._tell(self._done)
        library.close(RESULTS)
        return offered - self._started.astype(np.int64) + 1

    def _give(self) -> None:
        """Let the next vectors be offered, and foresee what is driven for them."""
        job, library, start = self._job, self._library, self._given
        vectors, steps = job.batch(start, start + self._foreseen.size)
        self._given += len(vectors)
        if not len(vectors):
            library.stop(VECTORS)
            return
        planes = input_planes(self._config, vectors, transposed=job.transposed)
        mode = Mode(Mode.MVM_T if job.transposed else Mode.MVM)
        self._ahead.plan(mode, planes.reshape(-1, self._direction.inputs))
        operands = self._operands(vectors, steps)
        library.offer(VECTORS, operands, self._started[start : self._given])

    def _operands(self, vectors: NDArray[np.int64], steps: NDArray[np.int64]) -> Bytes:
        """Return payloads [n, bytes] of the port for vectors."""
        config, library = self._config, self._library
        operands = payloads(len(vectors), library.port_bytes("vectors__payload"))
        bits = config.converter.input_bits
        library.pack(operands, vectors, bits, 0)
        # Lines without an input come between.
        at = config.drive_lines * bits
        library.pack(operands, steps, config.step_bits, at)
        if self._job.transposed:
            at += config.steps * config.step_bits
            library.pack(operands, np.ones((len(vectors), 1), np.int64), 1, at)
        return operands

    def _decode(self, taken: Bytes) -> NDArray[np.int64]:
        """Return the results [n, outputs] of payloads [n * groups, bytes]."""
        config, groups = self._config, self._direction.groups
        adcs, bits = config.converter.adcs, config.result_bits
        indices = self._library.unpack(taken, 1, config.select_bits, adcs * bits)
        indices &= (1 << config.select_bits) - 1
        wanted = np.arange(len(taken)) % groups
        wrong = np.flatnonzero(indices[:, 0] != wanted)
        if wrong.size:
            index, group = indices[wrong[0], 0], wanted[wrong[0]]
            raise AssertionError(f"results of group {index} came instead of {group}")
        sums = self._library.unpack(taken, adcs, bits, 0).reshape(-1, groups, adcs)
        results = sums.transpose(0, 2, 1).reshape(-1, adcs * groups)
        return np.ascontiguousarray(results[:, : self._direction.outputs])


class PlaneLog:
    """Return what a `Library` remembers of planes, as a `Scoreboard` asks for it.

    Parameters
    ----------
    library
        Its first tile is followed.
    job
        Products of the tile.
    products
        Products that are checked together.
    """

    def __init__(self, library: Library, job: TileJob, products: int):
        config = job.config
        self._library, self._config = library, config
        self._direction = config.direction(job.transposed)
        count = (products + REMEMBERED_PRODUCTS) * config.planes
        groups = max(direction.groups for direction in config.directions)
        self._cycles = np.zeros(count, np.uint64)
        self._codes = payloads(count, library.port_bytes(f"{PREFIX}code"))
        self._found = np.full((count, groups, config.converters), NOT_FOUND)
        library.log(0, self._cycles, self._codes, self._found)

    def plane(self, number: int) -> Plane | None:
        """Return what is remembered of a plane, or None if there is nothing."""
        config, direction, count = self._config, self._direction, len(self._cycles)
        sampled = self._library.state(0, PREFIX).sampled
        if not sampled - count <= number < sampled:
            return None
        at = number % count
        codes = self._library.unpack(self._codes, config.drive_lines, config.code_bits, 0)[at]
        found = self._found[at, : direction.groups].T
        return Plane(int(self._cycles[at]), codes[: direction.inputs], found)


def run(
    path: Path, job: TileJob | list[TileJob], folder: Path, tell: Callable[[int], None]
) -> TileOutcome | list[TileOutcome]:
    """Run a job, or some, one after the other, on the tile of a library."""
    if isinstance(job, TileJob):
        return TileHarness(Library(path, job.config), job, folder, tell).run()
    library = Library(path, job[0].config)
    return [TileHarness(library, each, folder, tell).run() for each in job]
