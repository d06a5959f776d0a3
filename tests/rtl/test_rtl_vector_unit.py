"""The vector unit in RTL, against the model: every word, scalar, count and cycle."""

import functools

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.machine import Machine
from hw.machine.interfaces import VECTOR_OPCODES
from hw.machine.vector_memory import ReadPort, VectorMemory, WritePort, share
from hw.machine.vector_unit import VectorUnit
from ohmulator.compiler.words import from_words, to_words
from spec.instruction import Instruction
from spec.isa import OPERATIONS, SCALAR_RANGE, SCALARS, WORD_RANGE, ErrorCode, Opcode, Space
from spec.load import load
from tests.support.simulation import Simulation

LOW, HIGH = WORD_RANGE
BEFORE_UNIT = 4
"""Cycles of an instruction before the unit is asked."""
FIELDS = {"d": 1, "a": 2, "b": 3, "c": 4, "n": 5}


class Bench:
    """A vector unit, its memory, and the model of both."""

    def __init__(self, words: int, lanes: int):
        self.config = load("digits", vector_words=words, lanes=lanes)
        self.model = Machine(self.config)
        ports = {"read": Out(ReadPort(self.config)), "write": Out(WritePort(self.config))}
        self.host = wiring.PureInterface(wiring.Signature(ports), path=["host"])
        self.unit = VectorUnit(self.config)
        m = Module()
        m.submodules.unit = self.unit
        m.submodules.memory = memory = VectorMemory(self.config)
        share(m, memory, [self.unit, self.host])
        self.simulation = Simulation(m)

    def check(self, memory: list[int], instructions: list[tuple[Opcode, dict[str, int]]]) -> None:
        """Execute instructions one after the other: opcode and values of the scalars."""

        async def bench(ctx):
            for address, value in enumerate(memory):
                ctx.set(self.host.write.en, 1)
                ctx.set(self.host.write.mask, 1)
                ctx.set(self.host.write.address, address)
                ctx.set(self.host.write.data[0], value)
                await ctx.tick()
            ctx.set(self.host.write.en, 0)
            self.model.write(Space.VECTOR, 0, to_words(np.array(memory)))
            for opcode, values in instructions:
                await self._execute(ctx, opcode, values)
            assert await self._words(ctx) == self._model_words()

        try:
            self.simulation.run(bench)
        except BaseException:
            bench_of.cache_clear()
            raise

    async def _execute(self, ctx, opcode: Opcode, values: dict[str, int]) -> None:
        port = self.unit.port
        code, scalar, saturations = self._model_result(opcode, values)
        ctx.set(port.request.payload, {"opcode": opcode, "immediate": 0, **values})
        ctx.set(port.request.valid, 1)
        ctx.set(port.reply.ready, 1)
        cycles = BEFORE_UNIT + 1
        while not ctx.get(port.reply.valid):
            await ctx.tick()
            ctx.set(port.request.valid, 0)
            cycles += 1
        reply = port.reply.payload
        got = ctx.get(reply.code), ctx.get(reply.scalar), ctx.get(reply.saturations)
        assert got == (code, scalar, saturations), (opcode.name, values)
        await ctx.tick()
        if code is ErrorCode.NONE:
            operation = OPERATIONS[opcode]
            beats = -(-values["n"] // self.config.machine.lanes)
            assert cycles == operation.base_cycles + operation.beat_cycles * beats, opcode.name
        if values["n"] > self.config.machine.lanes:
            # Differences are found near to where they arise.
            assert await self._words(ctx) == self._model_words(), (opcode.name, values)

    def _model_result(self, opcode: Opcode, values: dict[str, int]) -> tuple[ErrorCode, int, int]:
        used = {name: FIELDS[name] for name in OPERATIONS[opcode].scalars}
        scalars = np.zeros(SCALARS, "<i8")
        for name, number in used.items():
            scalars[number] = values[name]
        word = Instruction(opcode, **used).encode()
        self.model.write(Space.SCALAR, 0, scalars.view("<u4"))
        self.model.write(Space.PROGRAM, 0, np.array([word], "<u8").view("<u4"))
        self.model.start()
        effects = self.model.step()
        self.model.abort()
        saturations = effects.counters.get(None, {}).get("saturations", 0)
        return effects.code, effects.scalars.get(FIELDS["d"], 0), saturations

    def _model_words(self) -> list[int]:
        return from_words(
            self.model.read(Space.VECTOR, 0, self.config.machine.vector_words)
        ).tolist()

    async def _words(self, ctx) -> list[int]:
        words: list[int] = []
        for address in range(0, self.config.machine.vector_words, self.config.machine.lanes):
            ctx.set(self.host.read.en, 1)
            ctx.set(self.host.read.address, address)
            await ctx.tick()
            words += [ctx.get(word) for word in self.host.read.data]
        ctx.set(self.host.read.en, 0)
        return words


@functools.cache
def bench_of(words: int, lanes: int) -> Bench:
    return Bench(words, lanes)


WORDS = st.integers(LOW, HIGH) | st.sampled_from([LOW, LOW + 1, -1, 0, 1, HIGH])
WILD = st.integers(*SCALAR_RANGE) | st.sampled_from([*SCALAR_RANGE, LOW - 1, HIGH + 1, 1 << 32])


@st.composite
def instructions(draw: st.DrawFn, words: int) -> tuple[Opcode, dict[str, int]]:
    """Draw an opcode and the values of its scalars, some of which are refused."""
    opcode = draw(st.sampled_from(VECTOR_OPCODES))
    n = draw(st.integers(0, min(words, 11)))
    address = st.integers(0, words - n) | st.sampled_from([0, words - n])
    usual = {
        "n": st.just(n),
        "d": address,
        "a": address,
        "b": WORDS if opcode in (Opcode.VSCALE, Opcode.VCLAMP) else address,
        "c": st.integers(-33, 65) if opcode is Opcode.VSHIFT else st.integers(-1, 64),
    }
    if opcode is Opcode.VCLAMP:
        usual["c"] = WORDS
    values = {name: draw(strategy) for name, strategy in usual.items()}
    if draw(st.booleans()):
        values["d"] = values["a"]
    if draw(st.integers(0, 9)) == 9:
        values[draw(st.sampled_from(sorted(values)))] = draw(WILD | st.integers(-1, words + 1))
    return opcode, values


@pytest.mark.parametrize("words, lanes", [(1, 1), (32, 1), (32, 4), (16, 8)])
@given(data=st.data())
@settings(deadline=None, max_examples=6)
def test_random_instructions(words, lanes, data):
    memory = data.draw(st.lists(WORDS, min_size=words, max_size=words))
    some = data.draw(st.lists(instructions(words), min_size=1, max_size=30))
    bench_of(words, lanes).check(memory, some)


CORNERS = [LOW, LOW + 1, LOW // 2, -3, -2, -1, 0, 1, 2, 3, HIGH // 2, HIGH // 2 + 1, HIGH - 1, HIGH]
CORNERS += [-(1 << k) for k in range(2, 30, 9)] + [(3 << k) - 1 for k in range(2, 30, 9)]


def test_amounts_of_shift():
    """Every amount, and those just outside, on words where rounding and saturation change."""
    memory = [*CORNERS, *[LOW] * (64 - len(CORNERS))]
    common = {"a": 0, "d": 32, "n": len(CORNERS)}
    shifts = [(Opcode.VSHIFT, {**common, "b": 0, "c": c}) for c in range(-33, 66)]
    bench_of(64, 4).check(memory, shifts)


def test_products_and_their_shifts():
    memory = [*CORNERS, *[LOW] * (64 - len(CORNERS))]
    common = {"a": 0, "d": 32, "n": len(CORNERS)}
    scales = [
        (Opcode.VSCALE, {**common, "b": b, "c": c})
        for b in (LOW, -3, -1, 0, 1, 0x8000, 0x10000, HIGH)
        for c in (0, 1, 15, 30, 31, 32, 33, 61, 62, 63)
    ]
    bench_of(64, 4).check(memory, scales)


def test_rounding_decides_what_saturates():
    """Products of -2^32 - 1, which rounds to the smallest word, and of numbers around it."""
    memory = [-6700417, -6700416, -6700418, 6700417, 6700416, 0, 0, 0] * 2
    values = {"a": 0, "d": 8, "n": 5, "c": 1}
    scales = [(Opcode.VSCALE, {**values, "b": b}) for b in (641, -641)]
    bench = bench_of(16, 1)
    bench.check(memory, scales[:1])
    assert bench.model.memories.vector[8] == LOW
    bench.check(memory, scales[1:])


@pytest.mark.parametrize("lanes", [1, 2, 8, 64])
def test_dot_products_beyond_64_bits(lanes):
    """Two products of the largest magnitude are 2^63; intermediate sums may be outside."""
    memory = [LOW] * 4 + [HIGH] * 4 + [0] * 56
    parts = [(0, 0, 1), (0, 0, 2), (0, 0, 4), (0, 4, 4), (0, 4, 2), (0, 0, 8), (2, 4, 4)]
    parts += [(0, 63, 1), (0, 0, 0), (0, 0, 64), (1, 0, 63)]
    dots = [(Opcode.VDOT, {"d": 0, "a": a, "b": b, "c": 0, "n": n}) for a, b, n in parts]
    bench_of(64, lanes).check(memory, dots)


@pytest.mark.parametrize("lanes", [1, 64])
def test_all_words_at_an_end(lanes):
    """The largest sum of products, 2^68, and as many saturations as there are words."""
    values = {"d": 0, "a": 0, "b": 0, "c": 0, "n": 64}
    bench = bench_of(64, lanes)
    for word in (LOW, HIGH):
        bench.check([word] * 64, [(Opcode.VDOT, values), (Opcode.VADD, values)])


def test_a_sum_may_leave_64_bits_on_the_way():
    memory = [LOW] * 8 + [LOW] * 4 + [HIGH] * 4
    bench = Bench(16, 1)
    bench.check(memory, [(Opcode.VDOT, {"d": 0, "a": 0, "b": 8, "c": 0, "n": 8})])
    assert bench.model.chip_counters["saturations"] == 0


def test_every_length_at_every_offset():
    memory = list(range(-16, 16))
    adds = [
        (Opcode.VADD, {"d": d, "a": d, "b": d, "c": 0, "n": n}) for n in range(10) for d in range(8)
    ]
    ends = [(Opcode.VRELU, {"d": 32 - n, "a": 0, "b": 0, "c": 0, "n": n}) for n in range(17)]
    whole = [(Opcode.VSUB, {"d": 0, "a": 0, "b": 0, "c": 0, "n": 32})]
    bench_of(32, 4).check(memory, adds + ends + whole)


def test_faults_in_their_order():
    """Just outside, just overlapping, and with several faults at once."""
    memory = list(range(32))
    base = {"d": 16, "a": 0, "b": 8, "c": 0, "n": 4}
    changes = [
        {"n": -1},
        {"n": 33},
        {"n": 1 << 32},
        {"a": -1},
        {"a": 29},
        {"a": 32, "n": 0},
        {"a": 33, "n": 0},
        {"b": 29},
        {"b": 1 << 63 >> 1},
        {"d": 29},
        {"d": -(1 << 63)},
        {"d": 3},
        {"d": 5},
        {"d": 11},
        {"d": 4},
        {"d": 11, "a": 11},
        {"d": 3, "a": -1},
        {"d": 3, "c": 64},
        {"a": -1, "c": -32},
        {"c": 1 << 40, "d": 99},
        {"d": 1, "n": 0},
        {"b": HIGH + 1, "c": HIGH + 1},
        {"b": LOW - 1},
        {"b": 1, "c": 0},
        {"b": 1, "c": 1 << 32},
    ]
    cases = [(opcode, {**base, **change}) for opcode in VECTOR_OPCODES for change in changes]
    bench_of(32, 4).check(memory, cases)
