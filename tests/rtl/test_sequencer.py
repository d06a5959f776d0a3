"""The sequencer with the vector unit in RTL, in lockstep with the model.

Products are answered by the test bench, with what the model makes of them.
"""

import functools

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from hypothesis import given, settings

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
    SCALAR_RANGE,
    SCALARS,
    WORD_RANGE,
    ErrorCode,
    Instruction,
    Opcode,
    Space,
)
from spec.load import load
from tests.support.programs import scenarios
from tests.support.simulation import Simulation

CONFIG = load(
    "digits",
    rows=3,
    columns=2,
    adcs=1,
    adc_bits=4,
    accumulator_bits=8,
    tiles=3,
    lanes=2,
    vector_words=128,
    program_words=64,
    weight_words=256,
    matrices=2,
)
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


@given(scenarios(CONFIG))
@settings(deadline=None, max_examples=25)
def test_random_programs(scenario):
    model = Machine(CONFIG)
    for write in scenario.writes():
        model.write(*write)
    bench().run(lambda ctx: bench().lockstep(ctx, model, 60))


EDGES = [*SCALAR_RANGE, *WORD_RANGE, -1, 0, 1, 1 << 32]


def set_scalar(number: int, value: int) -> list[Instruction]:
    high, low = divmod(value, 1 << 32)
    low -= (low >> 31) << 32
    return [
        Instruction(Opcode.SET, d=number, immediate=low),
        Instruction(Opcode.SETH, d=number, immediate=high),
    ]


@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("half", [0, 1])
def test_scalars_at_their_ends(first, half):
    """All pairs of values. The program counter tells whether a branch is taken."""
    program = set_scalar(1, first)

    def branch(opcode: Opcode, **scalars: int) -> None:
        program.append(Instruction(opcode, **scalars, immediate=len(program) + 2))
        program.append(Instruction(Opcode.ADDI, d=5, a=1, immediate=WORD_RANGE[half]))

    for second in EDGES[half::2]:
        program += set_scalar(2, second)
        program += [Instruction(opcode, d=3, a=1, b=2) for opcode in (Opcode.ADD, Opcode.SUB)]
        for opcode in (Opcode.BEQ, Opcode.BNE, Opcode.BLT, Opcode.BGE):
            branch(opcode, a=1, b=2)
        branch(Opcode.LOOP, d=3)
        program.append(Instruction(Opcode.STORE, a=4, b=3, immediate=5))
    check([instruction.encode() for instruction in program])


@pytest.mark.parametrize("address", [0, 1, 127, 128, -1, 1 << 32, SCALAR_RANGE[0], SCALAR_RANGE[1]])
def test_addresses_of_single_words(address):
    program = []
    for immediate in (0, 1, -1, 127):
        program += [
            Instruction(Opcode.LOAD, d=2, a=1, immediate=immediate),
            Instruction(Opcode.STORE, a=1, b=3, immediate=immediate),
            Instruction(Opcode.LOAD, d=4, a=1, immediate=immediate),
        ]
    check([instruction.encode() for instruction in program], {1: address, 3: -99})


def test_loops():
    text = """
            SET s1, 3
    outer:  SET s2, 4
    inner:  VADD s3, s4, s5, s6
            ADDI s3, s3, 1
            LOOP s2, inner
            LOOP s1, outer
            HALT
    """
    model = check(text, {3: 64, 4: 3, 5: 31, 6: 5})
    assert model.chip_counters["instructions"] == 1 + 3 * (1 + 4 * 3 + 1) + 1


@pytest.mark.parametrize(
    "pc", [CONFIG.machine.program_words, CONFIG.machine.program_words + 1, (1 << 32) - 1]
)
def test_a_program_counter_outside_of_the_memory(pc):
    jump = Instruction(Opcode.JUMP, immediate=pc - ((pc >> 31) << 32)).encode()
    assert check([jump]).status.code is ErrorCode.PROGRAM_COUNTER
    running_off = [Instruction(Opcode.SET, d=1, immediate=i).encode() for i in range(64)]
    assert check(running_off).status.code is ErrorCode.PROGRAM_COUNTER
    model = model_of([])

    async def job(ctx):
        await bench().start(ctx, pc)
        model.start(pc)
        await bench().instruction(ctx, model.step())
        assert bench().state(ctx) == (False, ErrorCode.PROGRAM_COUNTER, pc)

    bench().run(job)


def test_every_opcode_and_every_unused_field():
    """All opcodes there are not are illegal, and all that are with a bit set that they ignore."""
    words = [code << 56 for code in range(256) if code not in list(Opcode)]
    for opcode in Opcode:
        words += [opcode << 56 | 1 << bit for bit in (0, 31, 32, 36, 40, 44, 48, 52, 55)]
    size = CONFIG.machine.program_words
    for start in range(0, len(words), size):
        check(words[start : start + size], limit=2 * size)


def test_adc_steps_are_those_of_the_run():
    top = CONFIG.step_range[1]
    program = [Instruction(Opcode.STEP, a=a, immediate=i) for a in (1, 2) for i in (-1, 0, 1, 2)]
    program += [Instruction(Opcode.STEP, a=a, immediate=0) for a in (3, 4, 5)]
    words = [instruction.encode() for instruction in program]
    check(words, {1: 0, 2: top, 3: top + 1, 4: -1, 5: 1 << 40})


# Ends that the program does not choose


ENDLESS = """
    again:  VSCALE s1, s2, s3, s4, s5
            VDOT s6, s1, s2, s5
            STORE s7, s6, 3
            LOAD s8, s7, 3
            ADDI s9, s9, 1
            JUMP again
"""


def test_abort_at_any_time():
    """At every cycle of an endless loop; each time the program goes on where it stopped."""
    this, model = bench(), model_of(ENDLESS, {1: 40, 2: 7, 3: -77, 4: 3, 5: 9, 7: 90})

    async def job(ctx):
        await this.load(ctx, model)
        for delay in range(100):
            model.start(model.status.pc)
            await this.start(ctx, model.status.pc)
            ended = 0
            for cycle in range(LIMIT):
                ctx.set(this.dut.control.abort, cycle == delay)
                finished = ctx.get(this.dut.trace.finished)
                if finished and ctx.get(this.dut.trace.code) == ErrorCode.ABORTED:
                    model.abort()
                elif finished:
                    model.step()
                    ended += cycle > delay
                await ctx.tick()
                if not this.state(ctx)[0]:
                    break
            assert ended <= 1
            assert this.state(ctx) == (False, ErrorCode.ABORTED, model.status.pc)
        await this.check_memories(ctx, model)

    this.run(job)
    assert model.chip_counters["instructions"] > 100


@pytest.mark.parametrize("delay", range(6))
def test_what_ends_by_itself_is_not_aborted(delay):
    """An abort that comes while the last instruction runs, or later, changes nothing."""
    this, model = bench(), model_of("SET s1, 5\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        await this.start(ctx, 1)
        for cycle in range(9):
            ctx.set(this.dut.control.abort, cycle == delay)
            await ctx.tick()
        assert this.state(ctx) == (False, ErrorCode.NONE, 1)
        await this.start(ctx, 0)
        await ctx.tick().repeat(8)
        assert this.state(ctx) == (False, ErrorCode.NONE, 1)

    this.run(job)


def test_a_product_may_end_by_abort():
    """Its counts are added all the same."""
    this, model = bench(), model_of("MVM s0, s0, s0, s0, 0\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        product = this.dut.product
        before = this.counters(ctx)
        await this.start(ctx, 0)
        while not ctx.get(product.request.valid):
            await ctx.tick()
        ctx.set(product.request.ready, 1)
        await ctx.tick()
        ctx.set(product.request.ready, 0)
        await this.abort(ctx)
        for _ in range(9):
            assert ctx.get(this.dut.aborting) and this.state(ctx)[0]
            await ctx.tick()
        counts = {"saturations": 2, "input_clips": 3, "reprograms": 4}
        ctx.set(product.reply.payload, {"code": ErrorCode.ABORTED, "scalar": 1, **counts})
        ctx.set(product.reply.valid, 1)
        await ctx.tick()
        ctx.set(product.reply.valid, 0)
        assert this.state(ctx) == (False, ErrorCode.ABORTED, 0)
        await ctx.tick().repeat(2)
        after = this.counters(ctx)
        assert not ctx.get(this.dut.aborting)
        assert {name: after[name] - before[name] for name in UNTIMED} == {
            "instructions": 0,
            **counts,
        }
        await this.check_memories(ctx, model)

    this.run(job)


def test_clock_cycles_are_counted():
    this, model = bench(), model_of("SET s5, 3\nVRELU s1, s1, s5\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        before = this.counters(ctx)
        await this.start(ctx, 0)
        await ctx.tick().repeat(49)
        after = this.counters(ctx)
        assert after["cycles"] - before["cycles"] == 50
        assert after["busy_cycles"] - before["busy_cycles"] == 4 + (15 + 2) + 4

    this.run(job)
