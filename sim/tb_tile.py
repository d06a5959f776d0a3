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

from golden.isa import TILE_COUNTERS
from golden.tile import Tile, checked_steps
from sim.bits import pack, read_bits, unpack
from sim.bridge import Bridge
from sim.job import JOB_VARIABLE, TileJob, TileOutcome, read, save
from sim.scoreboard import Scoreboard
from sim.streams import Sink, Source
from sim.waves import BoundaryTrace


class TileBench:
    """Wires source, sink, bridge, model and scoreboard around a tile."""

    def __init__(self, dut: Any, job: TileJob, folder: Path):
        config = job.config
        self.dut, self.job, self.config = dut, job, config
        self.steps = checked_steps(config, job.steps, len(job.vectors))
        model = Tile(config, copy.deepcopy(job.analog))
        self.expected = model.multiply(job.vectors, self.steps)
        self.progress = folder / "progress"
        self.trace_path = folder / "boundary.vcd"
        self.period_ns = 2 * max(1, round(0.5e9 / config.clock_hz))
        longest = config.latency_cycles + config.planes * config.plane_cycles
        self.patience = longest + config.groups * (max(job.stall) + 1) + max(job.idle) + 100

    async def run(self) -> TileOutcome:
        Clock(self.dut.clk, self.period_ns, "ns").start()
        await self._reset(3)
        if self.job.reset_after:
            aborted = cocotb.start_soon(self._multiply())
            for _ in range(self.job.reset_after):
                await FallingEdge(self.dut.clk)
            aborted.cancel()
            await self._reset(1)
        return await self._multiply()

    async def _reset(self, cycles: int) -> None:
        self.dut.vectors__valid.value = 0
        self.dut.results__ready.value = 0
        self.dut.rst.value = 1
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)

    async def _multiply(self) -> TileOutcome:
        job, config, count = self.job, self.config, len(self.job.vectors)
        bridge = Bridge(self.dut, copy.deepcopy(job.analog))
        scoreboard = Scoreboard(config, job.vectors, self.expected)
        bridge.on_sample = scoreboard.saw_sample
        bridge.on_conversion = scoreboard.saw_conversion
        source = Source(self.dut, "vectors", itertools.cycle(job.idle))
        sink = Sink(self.dut, "results", itertools.cycle(job.stall))
        if job.trace_cycles:
            bridge.trace = BoundaryTrace(
                self.trace_path, self.dut, config, self.period_ns, job.trace_cycles
            )

        started: list[int] = []
        taken = 0
        operands = [
            np.concatenate([pack(x, config.input_bits), pack(step, config.step_bits)])
            for x, step in zip(job.vectors, self.steps, strict=True)
        ]

        async def feed() -> None:
            for operand in operands:
                await source.send(operand)
                started.append(bridge.cycle)
            source.stop()

        async def watch() -> None:
            before = -1
            while before != taken:
                before = taken
                await Timer(self.patience * self.period_ns, "ns")
            raise AssertionError(f"no results within {self.patience} cycles")

        tasks = [cocotb.start_soon(task) for task in (bridge.run(), feed(), watch())]
        results = np.zeros((count, config.columns), np.int64)
        latencies = np.zeros(count, np.int64)
        mismatch = ""
        begun = time.perf_counter()
        try:
            for vector in range(count):
                for group in range(config.groups):
                    payload = await sink.take()
                    taken += 1
                    offered = bridge.cycle - 1
                    index, sums = self._decode(payload)
                    assert index == group, f"results of group {index} came instead of {group}"
                    results[vector, group :: config.groups] = sums
                latencies[vector] = offered - started[vector] + 1
                report = scoreboard.check(vector, results[vector], bridge.cycle)
                if report and not mismatch:
                    mismatch = f"{report}\n  reproduce     {job.reproduce}"
                if vector % 16 == 0:
                    self.progress.write_text(str(vector))
            seconds = time.perf_counter() - begun
            # The counters are two registers behind.
            for _ in range(4):
                await FallingEdge(self.dut.clk)
            counters = self._counters()
        finally:
            for task in tasks:
                task.cancel()
            if bridge.trace:
                bridge.trace.close()
        return TileOutcome(
            results,
            self.expected.results,
            mismatch,
            counters,
            {
                "drives": count * config.planes,
                "conversions": count * config.planes * config.groups * config.converters,
                "clips_high": int(self.expected.clips_high.sum()),
                "clips_low": int(self.expected.clips_low.sum()),
                "saturations": int(self.expected.saturations.sum()),
            },
            latencies,
            seconds,
        )

    def _decode(self, payload: NDArray[np.uint8]) -> tuple[int, NDArray[np.int64]]:
        """Return group and sums of a `ResultsLayout`, most significant bit first."""
        head = self.config.select_bits
        group = int(unpack(payload[:head], 1, signed=False)[0])
        return group, unpack(payload[head:], self.config.adcs).astype(np.int64)

    def _counters(self) -> dict[str, int]:
        values = unpack(read_bits(self.dut.counters), len(TILE_COUNTERS), signed=False)
        counters = zip(TILE_COUNTERS, values, strict=True)
        return {counter.name: int(value) for counter, value in counters}


@cocotb.test()
async def multiply(dut: Any) -> None:
    """Run the job of this process and leave its outcome beside it."""
    folder = Path(os.environ[JOB_VARIABLE])
    bench = TileBench(dut, read(folder / "job"), folder)
    save(folder / "outcome", await bench.run())
