"""Test a tile: feed it, put physics behind it, compare it with the model."""

import copy
import itertools
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import Task
from cocotb.triggers import FallingEdge, Timer
from numpy.typing import NDArray

from golden.tile.write_verify import Outcome, Targets, program
from sim.bridge import Bridge
from sim.cell_payloads import pack_targets, unpack_outcome
from sim.foreseen import Foreseen
from sim.job import TileJob, TileOutcome
from sim.packing import pack, unpack_wide, unpack_word
from sim.scoreboard import Scoreboard, SeenPlanes
from sim.signals import read_bits
from sim.streams import Sink, Source
from sim.testbench import tell, testbench
from sim.tile_outcome import Duration, Programmed, patience_cycles, summed_up
from sim.waves import BoundaryTrace

PACKED_TOGETHER = 1024
"""Operands that are packed at a time: many are quicker than one by one."""

TOLD_APART = 64
"""Cells or products after which the number of those done is told."""


class TileBench:
    """Drivers, monitors, bridge, model and scoreboard around a tile.

    Parameters
    ----------
    dut
        Simulated tile.
    job
        What it is to do.
    folder
        Where its progress and its waveform go.
    """

    def __init__(self, dut: Any, job: TileJob, folder: Path):
        config = job.config
        self.dut, self.job, self.config, self.folder = dut, job, config, folder
        self.direction = config.direction(job.transposed)
        self._analog = job.behind or job.analog
        self._before = copy.deepcopy(job.analog)
        self._programmed = program(self._before, job.targets) if job.targets else None
        self.bridge: Bridge
        self._tasks: list[Task[None]] = []
        self._done = 0

    async def run(self) -> TileOutcome:
        """Do the whole job, after an attempt that a reset ends if that is wanted."""
        clock = Clock(self.dut.clk, self.job.period_ns, "ns")
        clock.start()
        await self._reset(3)
        if self.job.reset_after:
            attempt = cocotb.start_soon(self._attempt())
            await self._pass(self.job.reset_after)
            attempt.cancel()
            await self._reset(1)
        outcome = await self._attempt()
        clock.stop()
        return outcome

    async def _pass(self, cycles: int) -> None:
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)

    async def _reset(self, cycles: int) -> None:
        self.dut.rst.value = 1
        await self._pass(cycles)
        # Not earlier: what a reset interrupts may still write in the cycle in which it begins.
        handshakes = "vectors__valid", "results__ready", "targets__valid", "outcomes__ready"
        for name in (*handshakes, "hold"):
            getattr(self.dut, name).value = 0
        self.dut.rst.value = 0
        await self._pass(1)

    async def _attempt(self) -> TileOutcome:
        """Program what there is to program, then multiply."""
        job = self.job
        self._done = 0
        self.bridge = bridge = Bridge(self.dut, copy.deepcopy(self._analog))
        foreseen = Foreseen(job, copy.deepcopy(self._before))
        planes = SeenPlanes(self.config, transposed=job.transposed)
        scoreboard = Scoreboard(
            self.config, foreseen, planes.plane, transposed=job.transposed, kept=job.kept
        )
        self._tasks = []
        self._start(bridge.run())
        self._start(self._watch())
        programmed = None
        try:
            if job.targets:
                programmed = await self.program(job.targets)
            programming_cycles = bridge.cycle
            if job.trace_cycles:
                self.trace(job.trace_cycles)
            begun, begun_cpu = time.perf_counter(), time.process_time()
            latencies = await self._multiply(scoreboard, planes)
            duration = Duration(
                time.perf_counter() - begun - foreseen.seconds,
                time.process_time() - begun_cpu - foreseen.cpu_s,
                latencies,
            )
            # The counters are two registers behind.
            await self._pass(4)
            counters = read_bits(self.dut.counters)
        finally:
            for task in self._tasks:
                task.cancel()
            if bridge.trace:
                bridge.trace.close()
        cells = Programmed(programmed, self._programmed, programming_cycles)
        g_s = bridge.analog.array.g_s
        return summed_up(job, foreseen, scoreboard, counters, cells, duration, g_s)

    def trace(self, cycles: int) -> None:
        """Record the analogue boundary from now on."""
        path = self.folder / "boundary.vcd"

        def read(name: str) -> NDArray[np.uint8]:
            return read_bits(getattr(self.dut, f"analog__{name}"))

        self.bridge.trace = BoundaryTrace(path, read, self.config, self.job.period_ns, cycles)

    def _start(self, task: Coroutine[Any, Any, None]) -> None:
        """Run a task beside, until the end of the attempt."""
        self._tasks.append(cocotb.start_soon(task))

    async def _watch(self) -> None:
        """Fail when nothing comes out for longer than anything may take."""
        patience = patience_cycles(self.job)
        before = -1
        while before != self._done:
            before = self._done
            await Timer(patience * self.job.period_ns, "ns")
        raise AssertionError(f"nothing came out for {patience} cycles")

    def _count(self) -> None:
        """Count something that came out."""
        self._done += 1
        if self._done % TOLD_APART == 0:
            tell(self.folder, self._done)

    async def program(self, targets: Targets) -> Outcome:
        """Program cells, and return what became of them."""
        self._start(self._feed_targets(targets))
        sink = Sink(self.dut, "outcomes", itertools.cycle(self.job.stall))
        outcomes = np.zeros((len(targets), 3), np.int64)
        for i in range(len(targets)):
            outcomes[i] = unpack_outcome(self.config, await sink.take())
            self._count()
        success, codes, pulses = outcomes.T
        return Outcome(success.astype(bool), codes, pulses)

    async def _feed_targets(self, targets: Targets) -> None:
        source = Source(self.dut, "targets", itertools.cycle(self.job.idle))
        for payload in pack_targets(self.config, targets):
            await source.send(payload)
        source.stop()

    async def _multiply(self, scoreboard: Scoreboard, planes: SeenPlanes) -> NDArray[np.int64]:
        """Run all products past the scoreboard, and return the latency [n] of each."""
        bridge, count, direction = self.bridge, len(self.job.vectors), self.direction
        bridge.on_sample = planes.saw_sample
        bridge.on_conversion = planes.saw_conversion
        started = np.zeros(count, np.int64)
        self._start(self._feed_vectors(started))
        sink = Sink(self.dut, "results", itertools.cycle(self.job.stall))
        latencies = np.zeros(count, np.int64)
        for number in range(count):
            results = np.zeros(direction.outputs, np.int64)
            for group in range(direction.groups):
                payload = await sink.take()
                offered = bridge.cycle - 1 - sink.waited
                index, sums = self._decode(payload)
                assert index == group, f"results of group {index} came instead of {group}"
                places = results[group :: direction.groups]
                places[:] = sums[: len(places)]
            self._count()
            latencies[number] = offered - started[number] + 1
            scoreboard.check(results[None], np.array([bridge.cycle]))
        return latencies

    async def _feed_vectors(self, started: NDArray[np.int64]) -> None:
        """Send all vectors, and note the cycle [n] in which the tile takes each."""
        source = Source(self.dut, "vectors", itertools.cycle(self.job.idle))
        for start in range(0, len(started), PACKED_TOGETHER):
            operands = self._pack_operands(start, start + PACKED_TOGETHER)
            for number, operand in enumerate(operands, start):
                await source.send(operand)
                started[number] = self.bridge.cycle
        source.stop()

    def _pack_operands(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Return payloads [n, bits] of the port for vectors."""
        config = self.config
        vectors, steps = self.job.batch(start, stop)
        count = len(vectors)
        unused = np.zeros((count, config.drive_lines - self.direction.inputs), np.int64)
        parts = [
            pack(vectors, config.converter.input_bits),
            # Lines without an input.
            pack(unused, config.converter.input_bits),
            pack(steps, config.step_bits),
            np.full((count, int(config.transposable)), self.job.transposed),
        ]
        return np.concatenate(parts, axis=1)

    def _decode(self, payload: NDArray[np.uint8]) -> tuple[int, NDArray[np.int64]]:
        """Return group and sums of a `ResultsLayout`, most significant bit first."""
        head = self.config.select_bits
        return unpack_word(payload[:head]), unpack_wide(payload[head:], self.config.converter.adcs)


@testbench
async def multiply(dut: Any, job: TileJob, folder: Path) -> TileOutcome:
    """Run a job on a tile."""
    return await TileBench(dut, job, folder).run()
