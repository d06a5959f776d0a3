"""A design in Amaranth's simulator: its clock, both ends of its streams, and its analogue side."""

import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import ClockDomain
from amaranth.lib import wiring

from golden.array.cells import Pulse
from golden.tile.analog import Analog
from golden.tile.write_verify import Targets
from hw.boundary.analog import PRODUCT_MODES, Mode
from tests.support.monitors import simulator


class Bench:
    """Simulate `dut` for at most `patience` cycles.

    Testbenches run in the order in which they are added: first what answers combinationally.

    Attributes
    ----------
    now
        Number of the running cycle, from 0.
    """

    def __init__(self, dut: wiring.Component, patience: int):
        self._domain = ClockDomain("sync")
        self.now = 0
        self._patience = patience
        self.sim = simulator(dut, self._domain)
        self.sim.add_clock(1e-8)
        self.sim.add_testbench(self._count, background=True)

    async def _count(self, ctx: Any) -> None:
        async for _ in ctx.tick():
            self.now += 1
            assert self.now < self._patience, f"not done within {self._patience} cycles"

    def answer(self, respond: Callable[[Any], AsyncIterator[None]]) -> None:
        """Run `respond` beside, as long as anything else runs."""
        self.sim.add_testbench(respond, background=True)

    def send(
        self, port: Any, payloads: Iterable[Any], idle: Sequence[int] = (0,), after: int = 0
    ) -> list[int]:
        """Send payloads, `idle` cycles apart, over and over; return the cycles of the transfers."""
        cycles: list[int] = []

        async def source(ctx: Any) -> None:
            while self.now <= after:
                await ctx.tick()
            for payload, pause in zip(payloads, itertools.cycle(idle), strict=False):
                if pause:
                    await ctx.tick().repeat(pause)
                ctx.set(port.payload, payload)
                ctx.set(port.valid, 1)
                await ctx.tick().until(port.ready)
                cycles.append(self.now - 1)
                ctx.set(port.valid, 0)

        self.sim.add_testbench(source)
        return cycles

    def take(
        self, port: Any, count: int, stall: Sequence[int] = (0,), after: int = 0
    ) -> list[tuple[int, Any]]:
        """Take payloads, each `stall` cycles late; return them with the cycles they came in.

        Ready is low until a payload has come, unless it is taken at once: valid must not wait.
        """
        taken: list[tuple[int, Any]] = []

        async def sink(ctx: Any) -> None:
            while self.now <= after:
                await ctx.tick()
            for pause in itertools.islice(itertools.cycle(stall), count):
                ctx.set(port.ready, not pause)
                while not ctx.get(port.valid):
                    await ctx.tick()
                came, payload = self.now, ctx.get(port.payload)
                for _ in range(pause):
                    await ctx.tick()
                    assert ctx.get(port.valid), "valid fell before the transfer"
                    assert ctx.get(port.payload) == payload, "payload changed while it waited"
                ctx.set(port.ready, 1)
                await ctx.tick()
                ctx.set(port.ready, 0)
                taken.append((came, payload))

        self.sim.add_testbench(sink)
        return taken

    def abort_at(self, cycle: int, port: Any, payloads: Sequence[Any], out: Any) -> None:
        """Send payloads into `port` and take all of `out` until a reset in the cycle `cycle`."""

        async def attempt(ctx: Any) -> None:
            ctx.set(port.valid, 1)
            ctx.set(out.ready, 1)
            left = iter(payloads)
            ctx.set(port.payload, next(left))
            while self.now < cycle:
                _, _, taken = await ctx.tick().sample(port.ready)
                if taken:
                    ctx.set(port.payload, next(left, payloads[0]))
            ctx.set(port.valid, 0)
            ctx.set(out.ready, 0)
            ctx.set(self._domain.rst, 1)
            await ctx.tick()
            ctx.set(self._domain.rst, 0)

        self.answer(attempt)

    def run(self) -> None:
        self.sim.run()


def answer_analog(
    bench: Bench, port: Any, analog: Analog, on_pulse: Callable[..., None] | None = None
) -> None:
    """Put physics behind the `AnalogPort` of a tile.

    `on_pulse` is called with slice, row, bit line, kind and amplitude of each write pulse.
    """
    config = analog.config

    async def respond(ctx: Any) -> None:
        to_settle = 0
        held = np.zeros((config.converters, config.forward.groups))
        steps = np.zeros(config.steps, np.int64)
        driven = Mode.IDLE
        comparators = Comparators(port, analog)
        async for _, _, strobe, sample, step, mode, code, cell, amplitude in ctx.tick().sample(
            *(port.strobe, port.sample, port.step, port.mode, port.code, port.cell, port.amplitude)
        ):
            if sample:
                steps = np.array(list(step), np.int64)
            if sample and driven in PRODUCT_MODES:
                transposed = driven is Mode.MVM_T
                codes = list(code)[: config.direction(transposed).inputs]
                held = analog.hold(np.array([codes], np.int64), transposed=transposed)[0]
            elif sample:
                read = name_cell(cell)
                value = analog.hold_cells(read.slices, read.rows, read.lines(config))
                held = np.zeros((config.converters, config.forward.groups))
                held[read.converters(config)] = value
            if strobe:
                driven = Mode(mode)
                to_settle = config.pulse_cycles if driven in PULSES else config.settle_cycles
                # By the end of its last cycle the array has settled.
                to_settle -= 1
                ctx.set(port.settled, 0)
            if strobe and driven in PULSES:
                pulsed = name_cell(cell)
                where = pulsed.slices, pulsed.rows, pulsed.lines(config)
                analog.array.cells.pulse(*where, PULSES[driven], amplitude)
                if on_pulse:
                    on_pulse(*(int(each[0]) for each in where), PULSES[driven], amplitude)
            if to_settle:
                to_settle -= 1
                ctx.set(port.settled, not to_settle)
            comparators.answer(ctx, held, steps)

    bench.answer(respond)


PULSES = {Mode.SET: Pulse.SET, Mode.RESET: Pulse.RESET}


def name_cell(cell: Any) -> Targets:
    """Return the one cell of a `CellLayout`; its level is 0."""
    fields = ("slice", "row", "adc", "group", "side")
    return Targets(*(np.array([getattr(cell, field)]) for field in fields), np.zeros(1, np.int64))


class Comparators:
    """Answer ADCs of an `AnalogPort` or a `SarBank`, as late as the configuration allows."""

    def __init__(self, port: Any, analog: Analog):
        config = analog.config
        self._port, self._analog = port, analog
        wait = (
            config.converter.comparison_cycles
            if config.converter.searching
            else config.decision_cycles
        )
        # Answers to the questions of the last cycles.
        self._answers: deque[tuple[Any, int]] = deque(maxlen=wait)

    def answer(self, ctx: Any, held: np.ndarray, steps: np.ndarray) -> None:
        """Answer in this cycle, of held values [converters, groups] with ADC steps [steps]."""
        port, adcs = self._port, self._analog.adcs(steps)
        values = held[:, ctx.get(port.select)]
        beyond = flags(adcs.beyond(values))
        if self._analog.config.converter.searching:
            trial = np.array(list(ctx.get(port.trial)), np.int64)
            self._answers.append((flags(adcs.above(values, trial)), beyond))
            ctx.set(port.above, self._answers[0][0])
        else:
            self._answers.append((adcs.convert(values).tolist(), beyond))
            ctx.set(port.found, self._answers[0][0])
        ctx.set(port.beyond, self._answers[0][1])


def flags(bits: np.ndarray) -> int:
    """Return flags as a number, flag 0 its least significant bit."""
    return sum(int(bit) << i for i, bit in enumerate(bits))
