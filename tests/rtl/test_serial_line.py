"""The serial line cycle by cycle: when bits are sent and sampled, and what is no byte."""

import pytest

from hw.link.serial_line import Receiver, Transmitter, divisor
from spec.errors import UserError
from tests.support.amaranth_bench import Bench

BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, 0x7E, 0x39]


@pytest.mark.parametrize("cycles", [8, 9, 16])
def test_bits_are_sent_for_so_many_cycles_each(cycles):
    """A start bit, the lowest bit first, a stop bit; one cycle more until the next may begin."""
    dut = Transmitter(cycles)
    bench = Bench(dut, 20 * 10 * cycles)
    line: list[int] = []

    async def watch(ctx):
        async for *_, level in ctx.tick().sample(dut.line):
            line.append(level)

    bench.answer(watch)
    begun = bench.send(dut.bytes, BYTES)
    bench.send(dut.bytes, [])

    async def end(ctx):
        await ctx.tick().repeat(len(BYTES) * (10 * cycles + 1) + 30)

    bench.sim.add_testbench(end)
    bench.run()
    pace = 10 * cycles + 1
    assert [cycle - begun[0] for cycle in begun] == [pace * n for n in range(len(BYTES))]
    for cycle, byte in zip(begun, BYTES, strict=True):
        bits = [0, *(byte >> n & 1 for n in range(8)), 1]
        sent = line[cycle + 1 : cycle + 1 + 10 * cycles]
        assert sent == [bit for bit in bits for _ in range(cycles)]
    assert line[: begun[0] + 1] == [1] * (begun[0] + 1)
    assert set(line[begun[-1] + 1 + 9 * cycles :]) == {1}


def received(cycles: int, levels: list[int]) -> tuple[list[int], int, int]:
    """Return bytes, framing errors and breaks of a line with a level in each cycle."""
    dut = Receiver(cycles)
    bench = Bench(dut, len(levels) + 100)
    found: list[int] = []
    wrong = [0, 0]

    async def job(ctx):
        for level in [1, *levels, *[1] * 20]:
            ctx.set(dut.line, level)
            if ctx.get(dut.bytes.valid):
                found.append(ctx.get(dut.bytes.payload))
            wrong[0] += ctx.get(dut.framing)
            wrong[1] += ctx.get(dut.broken)
            await ctx.tick()

    bench.sim.add_testbench(job)
    bench.run()
    return found, *wrong


def frame(cycles: float, byte: int, stop: int = 1) -> list[int]:
    """Return the levels of a byte whose bits are so long, rounded to whole cycles."""
    bits = [0, *(byte >> n & 1 for n in range(8)), stop]
    ends = [round(cycles * n) for n in range(11)]
    return [bit for bit, a, b in zip(bits, ends, ends[1:], strict=False) for _ in range(b - a)]


@pytest.mark.parametrize("cycles", [8, 9, 16])
@pytest.mark.parametrize("rate", [0.98, 1.0, 1.02])
def test_bytes_follow_each_other_without_a_gap(cycles, rate):
    levels = [level for byte in BYTES for level in frame(cycles / rate, byte)]
    assert received(cycles, levels) == (BYTES, 0, 0)


@pytest.mark.parametrize("cycles", [8, 9, 16])
@pytest.mark.parametrize("byte", [0x00, 0xA5, 0xFF])
@pytest.mark.parametrize("stop", [0, 1])
def test_bits_are_sampled_once_in_their_middle(cycles, byte, stop):
    """The serial line is what the bit is not in all other cycles."""
    bits = [0, *(byte >> n & 1 for n in range(8)), stop]
    levels = [1 - bits[n // cycles] for n in range(9 * cycles + cycles // 2 + 1)]
    levels[0] = 0
    for place, bit in enumerate(bits):
        levels[place * cycles + cycles // 2] = bit
    whole = [byte] if stop else []
    assert received(cycles, levels) == (whole, not stop and byte > 0, not stop and byte == 0)


@pytest.mark.parametrize("cycles", [8, 16])
def test_a_start_bit_that_ends_before_its_middle_is_none(cycles):
    byte = frame(cycles, 0x39)
    short = [0] * (cycles // 2) + [1] * 4
    assert received(cycles, [*short, *byte]) == ([0x39], 0, 0)


@pytest.mark.parametrize("low", [1, 40])
def test_after_a_byte_without_a_stop_bit_the_line_must_come_high(low):
    """Low for long is one error, and no second byte."""
    cycles = 8
    for byte, errors in [(0x80, (1, 0)), (0x00, (0, 1))]:
        levels = [*frame(cycles, byte, stop=0), *[0] * low, *[1] * 4, *frame(cycles, 0x42)]
        assert received(cycles, levels) == ([0x42], *errors)


def test_rates_reach_to_eight_cycles_and_two_percent():
    assert divisor(8e6, 1e6) == 8
    assert divisor(7.6e6, 0.95e6) == 8
    for cycles, good in [(10.19, True), (10.21, False), (9.81, True), (9.79, False)]:
        if good:
            assert divisor(cycles * 1000, 1000) == 10
        else:
            with pytest.raises(UserError, match=r"is [-+]2\.1 % off .* more than 2 %: take one of"):
                divisor(cycles * 1000, 1000)
    with pytest.raises(UserError, match="baud must be at most 125 with a clock of 1000 Hz"):
        divisor(1000, 1000 / 7.4)
    with pytest.raises(
        UserError, match=r"at most 125000\.125 .* of 1000001 Hz .* not 135135\.135$"
    ):
        divisor(1000001, 135135.135)
    with pytest.raises(UserError, match=r"is \+2\.0001 % off"):
        divisor(10.20001 * 1000, 1000)
    with pytest.raises(UserError, match=r"take one of 1090\.91, 1200, 1333\.33"):
        divisor(12000, 1250)
