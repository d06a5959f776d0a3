"""Sequencer and vector unit in Amaranth's simulator, in lockstep with the model."""

import functools

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from golden.machine.effects import Effects
from golden.machine.machine import Machine
from hw.machine.sequencer import Sequencer
from hw.machine.vector_memory import ReadPort, VectorMemory, WritePort, share
from hw.machine.vector_unit import VectorUnit
from ohmulator.compiler.words import to_words
from spec.assembly import assemble
from spec.counters import CHIP_COUNTERS
from spec.isa import (
    OPERATIONS,
    PRODUCTS,
    SCALARS,
    ErrorCode,
    Space,
)
from tests.support.configs import MACHINE
from tests.support.simulation import Simulation

CONFIG = MACHINE.replace(adc_bits=4, accumulator_bits=8)

LIMIT = 1000
"""Cycles that no instruction takes."""


UNTIMED = [counter.name for counter in CHIP_COUNTERS if not counter.timed]


class Bench:
    """The digital part of a chip but for products."""

    def __init__(self) -> None:
        ports = {"read": Out(ReadPort(CONFIG)), "write": Out(WritePort(CONFIG))}
        self.host = wiring.PureInterface(wiring.Signature(ports), path=["host"])
        self.dut = Sequencer(CONFIG)
        m = Module()
        m.submodules.dut = self.dut
        m.submodules.unit = unit = VectorUnit(CONFIG)
        m.submodules.memory = self.memory = VectorMemory(CONFIG)
        wiring.connect(m, self.dut.vector, unit.port)
        share(m, self.memory, [unit, self.dut, self.host])
        self.simulation = Simulation(m)
        self._ports = {Space.PROGRAM: self.dut.program, Space.SCALAR: self.dut.scalars}

    # Host

    async def write(self, ctx, space: Space, address: int, words) -> None:
        for i, word in enumerate(map(int, words)):
            if space is Space.VECTOR:
                ctx.set(self.host.write.en, 1)
                ctx.set(self.host.write.mask, 1)
                ctx.set(self.host.write.address, address + i)
                ctx.set(self.host.write.data[0], word)
            else:
                ctx.set(self._ports[space].address, address + i)
                ctx.set(self._ports[space].data, word)
                ctx.set(self._ports[space].write, 1)
            await ctx.tick()
            for enable in (self.host.write.en, *(port.write for port in self._ports.values())):
                ctx.set(enable, 0)

    async def read(self, ctx, space: Space, count: int) -> list[int]:
        words = []
        for address in range(count):
            if space is Space.VECTOR:
                ctx.set(self.host.read.en, 1)
                ctx.set(self.host.read.address, address)
                await ctx.tick()
                ctx.set(self.host.read.en, 0)
                words.append(ctx.get(self.host.read.data[0]) % (1 << 32))
            else:
                port = self._ports[space]
                ctx.set(port.address, address)
                ctx.set(port.read, 1)
                await ctx.tick()
                ctx.set(port.read, 0)
                words.append(ctx.get(port.value))
        return words

    async def start(self, ctx, pc: int) -> None:
        ctx.set(self.dut.control.pc, pc)
        ctx.set(self.dut.control.run, 1)
        await ctx.tick()
        ctx.set(self.dut.control.run, 0)

    async def load(self, ctx, model: Machine) -> None:
        """Bring the memories to what the model has."""
        for space in (Space.VECTOR, Space.PROGRAM, Space.SCALAR):
            await self.write(ctx, space, 0, model.memories.spaces[space])

    async def abort(self, ctx) -> None:
        ctx.set(self.dut.control.abort, 1)
        await ctx.tick()
        ctx.set(self.dut.control.abort, 0)

    async def check_memories(self, ctx, model: Machine) -> None:
        for space in (Space.VECTOR, Space.PROGRAM, Space.SCALAR):
            expected = model.memories.spaces[space].tolist()
            assert await self.read(ctx, space, len(expected)) == expected, space.name

    def counters(self, ctx) -> dict[str, int]:
        values = [ctx.get(counter) for counter in self.dut.control.counters]
        return dict(zip([c.name for c in CHIP_COUNTERS], values, strict=True))

    def state(self, ctx) -> tuple[bool, int, int]:
        control = self.dut.control
        state = control.state
        return bool(ctx.get(state.running)), ctx.get(state.code), ctx.get(control.position)

    # Lockstep

    async def instruction(self, ctx, effects: Effects) -> int:
        """Follow one instruction, from its fetch to that of the next, and return its cycles."""
        dut, trace, write = self.dut, self.dut.trace, self.memory.write
        words: dict[int, int] = {}
        product = dut.product
        cycles = 1
        while cycles < LIMIT:
            if ctx.get(write.en):
                for i in range(CONFIG.machine.lanes):
                    if ctx.get(write.mask) >> i & 1:
                        words[ctx.get(write.address) + i] = ctx.get(write.data[i])
            if ctx.get(product.request.valid):
                await self._answer(ctx, effects)
                for address, values in effects.words:
                    words |= dict(zip(range(address, address + len(values)), values, strict=True))
            if ctx.get(trace.finished):
                break
            await ctx.tick()
            cycles += 1
        assert (ctx.get(trace.pc), ctx.get(trace.code)) == (effects.pc, effects.code)
        assert words == {a + i: v for a, values in effects.words for i, v in enumerate(values)}
        halves = ctx.get(trace.halves)
        assert (halves != 0) == bool(effects.scalars)
        for number, value in effects.scalars.items():
            assert ctx.get(trace.number) == number
            got = ctx.get(trace.scalar)
            if halves == 0b10:
                got, value = got >> 32, value >> 32
            assert got == value
        await ctx.tick()
        ctx.set(product.reply.valid, 0)
        return cycles

    async def _answer(self, ctx, effects: Effects) -> None:
        """Execute a product in place of the product unit."""
        request, reply = self.dut.product.request, self.dut.product.reply
        ctx.set(request.ready, 1)
        await ctx.tick()
        ctx.set(request.ready, 0)
        assert ctx.get(request.payload.opcode) == effects.instruction.opcode
        assert ctx.get(request.payload.immediate) == effects.instruction.immediate
        for address, values in effects.words:
            await self.write(ctx, Space.VECTOR, address, values)
        counts = effects.counters.get(None, {})
        ctx.set(
            reply.payload,
            {
                "code": effects.code,
                "scalar": 99,
                **{
                    name: counts.get(name, 0)
                    for name in ("saturations", "input_clips", "reprograms")
                },
            },
        )
        ctx.set(reply.valid, 1)

    async def lockstep(self, ctx, model: Machine, limit: int) -> None:
        """Run the program at 0; go on behind instructions that fault; abort at the limit."""
        await self.load(ctx, model)
        before = self.counters(ctx)
        pc = 0
        for count in range(limit):
            if not model.status.running:
                model.start(pc)
                await self.start(ctx, pc)
            # What arrives while an instruction is under way takes effect at its end.
            ctx.set(self.dut.control.abort, count == limit - 1)
            scalars = model.memories.scalars.copy()
            effects = model.step()
            cycles = await self.instruction(ctx, effects)
            if effects.code is ErrorCode.NONE and effects.instruction.opcode not in PRODUCTS:
                operation = OPERATIONS[effects.instruction.opcode]
                beats = -(-int(scalars[effects.instruction.n]) // CONFIG.machine.lanes)
                assert cycles == operation.base_cycles + operation.beat_cycles * beats
            assert self.state(ctx) == (model.status.running, model.status.code, model.status.pc)
            assert [ctx.get(step) for step in self.dut.steps] == model._steps.tolist()
            pc = effects.pc + 1
            if not model.status.running and effects.pc >= CONFIG.machine.program_words:
                break
        ctx.set(self.dut.control.abort, 0)
        model.abort()
        await ctx.tick()
        assert self.state(ctx) == (False, model.status.code, model.status.pc)
        await ctx.tick().repeat(2)
        after = self.counters(ctx)
        gained = {name: after[name] - before[name] for name in UNTIMED}
        assert gained == model.chip_counters
        await self.check_memories(ctx, model)

    def run(self, job) -> None:
        try:
            self.simulation.run(job)
        except BaseException:
            bench.cache_clear()
            raise


@functools.cache
def bench() -> Bench:
    return Bench()


def model_of(program: str | list[int], scalars: dict[int, int] | None = None) -> Machine:
    """Return a model with a program, scalars by number, and words that tell their address."""
    words = assemble(program) if isinstance(program, str) else program
    model = Machine(CONFIG)
    model.write(Space.PROGRAM, 0, np.array(words, "<u8").view("<u4"))
    values = np.zeros(SCALARS, "<i8")
    for number, value in (scalars or {}).items():
        values[number] = value
    model.write(Space.SCALAR, 0, values.view("<u4"))
    model.write(Space.VECTOR, 0, to_words(np.arange(CONFIG.machine.vector_words) * 1001 - 50000))
    return model


def check(program: str | list[int], scalars: dict[int, int] | None = None, limit=200) -> Machine:
    """Run in lockstep, and return the model."""
    model = model_of(program, scalars)
    bench().run(lambda ctx: bench().lockstep(ctx, model, limit))
    return model
