"""cocotb testbench of a tile: feed it, answer its array, compare it with the model."""

import copy
import itertools
import os
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer
from numpy.typing import NDArray

from golden.tile.tile import Tile, checked_steps
from golden.tile.write_verify import Outcome, Targets, program
from sim.bits import pack, read_bits, unpack, unpack_wide
from sim.bridge import Bridge
from sim.cells import pack_targets, unpack_outcome
from sim.job import JOB_VARIABLE, TileJob, TileOutcome, read, save
from sim.scoreboard import Scoreboard
from sim.streams import Sink, Source
from sim.waves import BoundaryTrace
from spec.counters import TILE_COUNTERS

PACKED_TOGETHER = 1024
"""Operands that are made into bits at a time: many are quicker than one by one."""


class TileBench:
    """Wires sources, sinks, bridge, model and scoreboard around a tile."""

    def __init__(self, dut: Any, job: TileJob, folder: Path):
        config = job.config
        self.dut, self.job, self.config, self.folder = dut, job, config, folder
        self.way = way = config.direction(job.transposed)
        self.steps = checked_steps(config, job.steps, len(job.vectors))
        analog = copy.deepcopy(job.analog)
        self.expected_programmed = program(analog, job.targets) if job.targets else None
        self.expected = Tile(config, analog).multiply(
            job.vectors, self.steps, transposed=job.transposed
        )
        self.period_ns = 2 * max(1, round(0.5e9 / config.machine.clock_hz))
        longest = way.latency_cycles + config.planes * way.plane_cycles
        pulse = config.settle_cycles + config.pulse_cycles + config.converter.adc_bits + 20
        self.patience = max(longest, (config.programming.pulse_limit + 1) * pulse)
        self.patience += way.groups * (max(job.stall) + 1) + max(job.idle) + 100

    async def run(self) -> TileOutcome:
        clock = Clock(self.dut.clk, self.period_ns, "ns")
        clock.start()
        await self._reset(3)
        if self.job.reset_after:
            aborted = cocotb.start_soon(self._run())
            for _ in range(self.job.reset_after):
                await FallingEdge(self.dut.clk)
            aborted.cancel()
            await self._reset(1)
        outcome = await self._run()
        clock.stop()
        return outcome

    async def _reset(self, cycles: int) -> None:
        self.dut.rst.value = 1
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)
        # Not earlier: what a reset interrupts may still write in the cycle in which it begins.
        for name in ("vectors__valid", "results__ready", "targets__valid", "outcomes__ready"):
            getattr(self.dut, name).value = 0
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)

    async def _run(self) -> TileOutcome:
        """Program what there is to program, then multiply."""
        job, config = self.job, self.config
        self.done = 0
        self.bridge = bridge = Bridge(self.dut, copy.deepcopy(job.analog))
        self.tasks = [cocotb.start_soon(bridge.run()), cocotb.start_soon(self._watch())]
        programmed, mismatch = None, ""
        try:
            if job.targets:
                programmed, mismatch = await self._program(job.targets)
            programming_cycles = bridge.cycle
            if job.trace_cycles:
                path = self.folder / "boundary.vcd"
                trace = BoundaryTrace(path, self.dut, config, self.period_ns, job.trace_cycles)
                bridge.trace = trace
            begun = time.perf_counter()
            results, latencies, difference = await self._multiply()
            seconds = time.perf_counter() - begun
            # The counters are two registers behind.
            for _ in range(4):
                await FallingEdge(self.dut.clk)
            counters = self._counters()
        finally:
            for task in self.tasks:
                task.cancel()
            if bridge.trace:
                bridge.trace.close()
        report = mismatch or difference or self._miscounted(counters)
        return TileOutcome(
            results,
            self.expected.results,
            f"{report}\n  reproduce     {job.reproduce}" if report else "",
            counters,
            latencies,
            seconds,
            programmed,
            self.expected_programmed,
            programming_cycles,
            bridge.analog.array.g_s,
        )

    async def _watch(self) -> None:
        before = -1
        while before != self.done:
            before = self.done
            await Timer(self.patience * self.period_ns, "ns")
        raise AssertionError(f"nothing came out for {self.patience} cycles")

    def _tell(self) -> None:
        """Count something that came out, and leave the number for who waits outside."""
        self.done += 1
        if self.done % 64 == 0:
            (self.folder / "progress").write_text(str(self.done))

    async def _program(self, targets: Targets) -> tuple[Outcome, str]:
        """Return what became of the cells, and where that first differs from the model."""
        source = Source(self.dut, "targets", itertools.cycle(self.job.idle))
        sink = Sink(self.dut, "outcomes", itertools.cycle(self.job.stall))

        async def feed() -> None:
            for payload in pack_targets(self.config, targets):
                await source.send(payload)
            source.stop()

        self.tasks.append(cocotb.start_soon(feed()))
        outcomes = np.zeros((len(targets), 3), np.int64)
        for i in range(len(targets)):
            outcomes[i] = unpack_outcome(self.config, await sink.take())
            self._tell()
        success, codes, pulses = outcomes.T
        expected = self.expected_programmed
        assert expected
        wanted = np.stack([expected.success, expected.codes, expected.pulses], axis=1)
        wrong = np.flatnonzero((outcomes != wanted).any(axis=1))
        report = ""
        if wrong.size:
            i = int(wrong[0])
            report = (
                f"mismatch: {wrong.size} of {len(targets)} cells are programmed differently\n"
                f"  configuration {self.config.whole}\n"
                f"  cell          {i} in order\n"
                f"  slice         {targets.slices[i]}\n"
                f"  row           {targets.rows[i]}\n"
                f"  bit line      {targets.lines(self.config)[i]}\n"
                f"  expected      success, code, pulses = {wanted[i].tolist()}\n"
                f"  actual        success, code, pulses = {outcomes[i].tolist()}"
            )
        return Outcome(success.astype(bool), codes, pulses), report

    async def _multiply(self) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
        """Return results, latencies, and where the former first differ from the model."""
        job, config, bridge, count = self.job, self.config, self.bridge, len(self.job.vectors)
        groups = self.way.groups
        scoreboard = Scoreboard(config, job.vectors, self.expected, transposed=job.transposed)
        bridge.on_sample = scoreboard.saw_sample
        bridge.on_conversion = scoreboard.saw_conversion
        source = Source(self.dut, "vectors", itertools.cycle(job.idle))
        sink = Sink(self.dut, "results", itertools.cycle(job.stall))
        started: list[int] = []

        async def feed() -> None:
            unused = config.drive_lines - self.way.inputs
            for start in range(0, count, PACKED_TOGETHER):
                some = slice(start, start + PACKED_TOGETHER)
                x = job.vectors[some]
                operands = [
                    pack(x, config.converter.input_bits),
                    # Lines without an input.
                    pack(np.zeros((len(x), unused), np.int64), config.converter.input_bits),
                    pack(self.steps[some], config.step_bits),
                    np.full((len(x), int(config.transposable)), job.transposed),
                ]
                for operand in np.concatenate(operands, axis=1):
                    await source.send(operand)
                    started.append(bridge.cycle)
            source.stop()

        self.tasks.append(cocotb.start_soon(feed()))
        results = np.zeros((count, self.way.outputs), np.int64)
        latencies = np.zeros(count, np.int64)
        mismatch = ""
        for vector in range(count):
            for group in range(groups):
                payload = await sink.take()
                offered = bridge.cycle - 1 - sink.waited
                index, sums = self._decode(payload)
                assert index == group, f"results of group {index} came instead of {group}"
                places = results[vector, group::groups]
                places[:] = sums[: len(places)]
            self._tell()
            latencies[vector] = offered - started[vector] + 1
            report = scoreboard.check(vector, results[vector], bridge.cycle)
            mismatch = mismatch or report
        return results, latencies, mismatch

    def _miscounted(self, counters: dict[str, int]) -> str:
        """Return which counters differ from the model: of those that do not speak of time."""
        wrong = [
            f"  {name:13} {counters[name]}, expected {count}"
            for name, count in self._expected_counters().items()
            if counters[name] != count
        ]
        head = [f"mismatch: {len(wrong)} counters differ", f"  configuration {self.config.whole}"]
        return "\n".join(head + wrong) if wrong else ""

    def _expected_counters(self) -> dict[str, int]:
        config, expected, drives = self.config, self.expected, len(self.job.vectors)
        drives *= config.planes
        counters = {
            "drives": drives,
            "conversions": drives * self.way.groups * config.converters,
            "clips_high": int(expected.clips_high.sum()),
            "clips_low": int(expected.clips_low.sum()),
            "saturations": int(expected.saturations.sum()),
            "reads": 0,
            "pulses": 0,
            "failures": 0,
        }
        if self.expected_programmed:
            pulses = int(self.expected_programmed.pulses.sum())
            counters["reads"] = len(self.expected_programmed.pulses) + pulses
            counters["pulses"] = pulses
            counters["failures"] = int((~self.expected_programmed.success).sum())
        return counters

    def _decode(self, payload: NDArray[np.uint8]) -> tuple[int, NDArray[np.int64]]:
        """Return group and sums of a `ResultsLayout`, most significant bit first."""
        head = self.config.select_bits
        group = int(unpack(payload[:head], 1, signed=False)[0])
        return group, unpack_wide(payload[head:], self.config.converter.adcs)

    def _counters(self) -> dict[str, int]:
        values = unpack_wide(read_bits(self.dut.counters), len(TILE_COUNTERS), signed=False)
        counters = zip(TILE_COUNTERS, values, strict=True)
        return {counter.name: int(value) for counter, value in counters}


@cocotb.test()
async def multiply(dut: Any) -> None:
    """Run the job of this process and leave its outcome beside it."""
    folder = Path(os.environ[JOB_VARIABLE])
    bench = TileBench(dut, read(folder / "job"), folder)
    save(folder / "outcome", await bench.run())
