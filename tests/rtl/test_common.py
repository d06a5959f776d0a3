"""Parts of `hw.common` against Python's integers."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, fits, pick, shift_left, tree_sum
from hw.common.counters import count
from hw.common.errors import first_error, lowest_error
from hw.common.layouts import fields_layout
from hw.common.ranges import index, vector_address, vector_extent, within
from hw.common.signature import ParameterSignature
from hw.common.streams import StreamRegister
from spec.instruction import Instruction
from spec.isa import INSTRUCTION_FIELDS, ErrorCode, Opcode
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip
from tests.support.monitors import simulator


def evaluate(inputs: list[Signal], outputs: list[Value], cases: list[tuple[int, ...]]):
    """Return the values of outputs, which follow from the inputs alone, in each case."""
    seen = []

    async def drive(ctx):
        for case in cases:
            for signal, value in zip(inputs, case, strict=True):
                ctx.set(signal, value)
            seen.append(tuple(ctx.get(output) for output in outputs))

    sim = simulator(Module())
    sim.add_testbench(drive)
    sim.run()
    return seen


def numbers(shape: Shape) -> range:
    if shape.signed:
        return range(-(1 << shape.width - 1), 1 << shape.width - 1)
    return range(1 << shape.width)


SHAPES = [shape(width) for shape in (signed, unsigned) for width in (1, 2, 4, 6)]


@pytest.mark.parametrize("given", SHAPES, ids=repr)
@pytest.mark.parametrize("held", SHAPES, ids=repr)
def test_clamp_takes_the_nearest_number_and_tells_others(given, held):
    value = Signal(given)
    near, outside = clamp(value, held)
    cases = [(number,) for number in numbers(given)]
    allowed = numbers(held)
    expected = []
    for (number,) in cases:
        nearest = max(allowed[0], min(number, allowed[-1]))
        expected.append((nearest, nearest != number, nearest == number))
    assert evaluate([value], [near, outside, fits(value, held)], cases) == expected
    assert Shape.cast(near.shape()).width <= max(held.width, given.width) + 1


@pytest.mark.parametrize("terms", [1, 2, 3, 7, 8])
def test_tree_sum_is_exact_and_grows_a_bit_a_level(terms):
    values = [Signal(signed(4), name=f"term_{i}") for i in range(terms)]
    total = tree_sum(values)
    rng = np.random.default_rng(terms)
    cases = [(-8,) * terms, (7,) * terms]
    cases += [tuple(case) for case in rng.integers(-8, 8, (50, terms)).tolist()]
    assert evaluate(values, [total], cases) == [(sum(case),) for case in cases]
    assert len(total) == 4 + (terms - 1).bit_length()


@pytest.mark.parametrize("shape", [unsigned(3), signed(4), unsigned(6), signed(8)], ids=repr)
@pytest.mark.parametrize("size", [1, 5, 8])
def test_within_knows_both_ends_and_no_sum_wraps(shape, size):
    address, length, measured = Signal(shape), Signal(5), Signal(4)
    cases = list(itertools.product(numbers(shape), range(32), [size]))
    inside = [a >= 0 and a + n <= size for a, n, _ in cases]
    outputs = [within(address, length, size), within(address, length, measured)]
    seen = evaluate([address, length, measured], outputs, cases)
    assert seen == [(each, each) for each in inside]


def test_of_several_errors_the_lowest_or_the_first_is_told():
    codes = [ErrorCode.OVERLAP, ErrorCode.OPERAND, ErrorCode.ADDRESS]
    flags = [Signal(name=code.name) for code in codes]
    cases = list(itertools.product([0, 1], repeat=3))
    lowest = lowest_error(dict(zip(codes, flags, strict=True)))
    first = first_error(zip(flags, codes, strict=True))
    expected = []
    for case in cases:
        apply = [code for code, flag in zip(codes, case, strict=True) if flag]
        expected.append((min(apply, default=0), apply[0] if apply else 0))
    assert evaluate(flags, [Value.cast(lowest), Value.cast(first)], cases) == expected


def test_fields_stand_in_a_layout_as_in_the_table():
    layout = fields_layout(INSTRUCTION_FIELDS)
    instruction = Instruction(Opcode.ADDI, d=3, a=9, immediate=-5)
    bits = layout.from_bits(instruction.encode())
    assert (bits.opcode, bits.d, bits.a, bits.immediate) == (Opcode.ADDI, 3, 9, -5)


def test_shapes_hold_the_ends_of_their_ranges():
    config = chip(vector_words=64)
    assert [Shape.cast(index(count)).width for count in (1, 2, 3, 16, 17)] == [1, 1, 2, 4, 5]
    assert Shape.cast(vector_address(config)) == unsigned(6)
    assert Shape.cast(vector_extent(config)) == unsigned(7)


class SomePort(ParameterSignature):
    def __init__(self, bits: int):
        super().__init__({"bit": In(bits)}, bits=bits)


class OtherPort(ParameterSignature):
    def __init__(self, bits: int):
        super().__init__({"bit": In(bits)}, bits=bits)


def test_signatures_compare_by_class_and_parameters():
    assert SomePort(3) == SomePort(3) != SomePort(4)
    assert SomePort(3) != OtherPort(3)
    assert SomePort(3).flip() == SomePort(3).flip()
    assert repr(SomePort(3)) == "SomePort(bits=3)"


@pytest.mark.parametrize("idle", [(0,), (1, 0, 3)], ids=["busy", "idle"])
@pytest.mark.parametrize("stall", [(0,), (2, 0, 0, 5)], ids=["taken", "stalled"])
def test_stream_register_keeps_order_and_pace(idle, stall):
    dut = StreamRegister(data.StructLayout({"number": 7, "flag": 1}))
    bench = Bench(dut, 1000)
    payloads = [{"number": i, "flag": i % 3 == 0} for i in range(100)]
    sent = bench.send(dut.i, payloads, idle)
    taken = bench.take(dut.o, len(payloads), stall)
    bench.run()
    assert [{"number": p.number, "flag": p.flag} for _, p in taken] == payloads
    if idle == stall == (0,):
        assert sent == list(range(sent[0], sent[0] + 100))
        assert [cycle for cycle, _ in taken] == [cycle + 1 for cycle in sent]


class Counted(wiring.Component):
    event: In(1)
    number: Out(3)

    def elaborate(self, platform):
        m = Module()
        count(m, self.number, self.event)
        return m


def test_count_stops_at_the_largest():
    dut = Counted()
    bench = Bench(dut, 100)
    seen = []

    async def drive(ctx):
        for cycle in range(20):
            ctx.set(dut.event, cycle % 2)
            seen.append(ctx.get(dut.number))
            await ctx.tick()

    bench.sim.add_testbench(drive)
    bench.run()
    assert seen == [min(cycle // 2, 7) for cycle in range(20)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_one_of_many_is_picked_by_its_number(count):
    items = [Signal(signed(5), init=3 * i - 7, name=f"item_{i}") for i in range(count)]
    number = Signal(4)
    cases = [(i,) for i in range(count)]
    assert evaluate([number], [pick(items, number)], cases) == [(3 * i - 7,) for i in range(count)]


def test_shifts_in_stages_lose_nothing():
    value = Signal(signed(4))
    by = Signal(3)
    shifted = shift_left(value, by)
    assert shifted.shape() == signed(4 + 7)
    cases = [(v, b) for v in numbers(signed(4)) for b in range(8)]
    assert evaluate([value, by], [shifted], cases) == [(v << b,) for v, b in cases]
