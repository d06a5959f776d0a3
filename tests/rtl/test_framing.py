"""Frames: what arrives is what was sent or is known to be damaged, and RTL and model agree."""

import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Elaboratable
from hypothesis import given
from hypothesis import strategies as st

from hw.link.framing import Deframer, Framer
from ohmulator.host import framing
from ohmulator.host.framing import Frame, encode
from spec.framing import ESCAPE, FLAG
from tests.support.monitors import simulator

Testbench = Callable[[Any], Awaitable[None]]

words32 = st.integers(0, (1 << 32) - 1)
# Many flags and escapes.
awkward = st.lists(st.sampled_from([FLAG, ESCAPE, 0x5E, 0x5D, 0, 0xFF]), min_size=4, max_size=4)
packets = st.lists(words32 | awkward.map(lambda b: int.from_bytes(b, "little")), min_size=1)


@given(packets)
def test_packet_comes_back(words):
    assert framing.Deframer().feed(encode(words)) == [Frame(words, False)]


def test_frame_is_flag_words_check_sum_flag():
    body = struct.pack("<2I", 0x03020100, 0x7D7E0004)
    check = zlib.crc32(body)
    expected = bytes([0x7E, 0, 1, 2, 3, 4, 0, 0x7D, 0x5E, 0x7D, 0x5D])
    assert encode([0x03020100, 0x7D7E0004]) == expected + struct.pack("<I", check) + b"\x7e"


@given(packets, st.binary(), st.data())
def test_every_change_of_up_to_four_bits_is_found(words, noise, data):
    frame = bytearray(encode(words))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(1, len(frame) - 2))] ^= 1 << data.draw(st.integers(0, 7))
    found = framing.Deframer().feed(bytes([*noise, *frame]))
    assert all(f.damaged or f.words == words for f in found)
    # Whatever came, the next frame is read.
    assert framing.Deframer().feed(bytes([*noise, FLAG, *frame, *encode(words)]))[-1] == Frame(
        words, False
    )


def damaged_lines(rng: np.random.Generator, number: int) -> list[tuple[list[int], bytes]]:
    """Return packets and their frames, half of them with a byte changed, lost or added."""
    lines = []
    for _ in range(number):
        words = [int(word) for word in rng.integers(0, 1 << 32, rng.integers(1, 6))]
        words[0] = int.from_bytes(rng.choice([FLAG, ESCAPE, 1, 2], 4).astype(np.uint8), "little")
        line = bytearray(encode(words))
        at = int(rng.integers(len(line)))
        match int(rng.integers(8)):
            case 0:
                line[at] ^= int(rng.integers(1, 256))
            case 1:
                del line[at]
            case 2:
                line.insert(at, int(rng.integers(256)))
            case 3:
                line[at:at] = bytes([ESCAPE, FLAG])
        lines.append((words, bytes(line)))
    return lines


def simulate(dut: Elaboratable, sender: Testbench, taker: Testbench) -> None:
    """Simulate until the sender has ended."""
    sim = simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(sender)
    sim.add_testbench(taker, background=True)
    sim.run()


def frames_from(dut: Deframer, sender: Testbench) -> list[Frame]:
    """Return the frames that leave while a sender gives bytes."""
    found: list[Frame] = []

    async def take(ctx):
        words: list[int] = []
        seen = dut.words.valid & dut.words.ready, dut.words.payload
        async for _, _, moves, word in ctx.tick().sample(*seen):
            if moves:
                words.append(word.data)
                if word.last:
                    found.append(Frame(words, bool(word.damaged)))
                    words = []

    simulate(dut, sender, take)
    return found


def test_rtl_finds_the_same_frames():
    dut = Deframer()
    lines = damaged_lines(np.random.default_rng(2), 250)
    line = b"".join(line for _, line in lines)

    async def send(ctx):
        ctx.set(dut.words.ready, 1)
        for byte in line:
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            await ctx.tick()
            ctx.set(dut.bytes.valid, 0)
            await ctx.tick()
        await ctx.tick().repeat(4)

    found = frames_from(dut, send)
    assert found == framing.Deframer().feed(line)
    assert sum(frame.damaged for frame in found) > 60
    assert sum(not frame.damaged for frame in found) > 120


@pytest.mark.parametrize("late", [0, 1, 7, 20, 40, 90])
def test_frames_that_are_not_taken_in_time_are_known(late):
    """Frames of 18 bytes, of which no word is taken before byte `late`."""
    dut = Deframer()
    packets = [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(8)]
    line = b"".join(encode(packet) for packet in packets)
    overruns = 0

    async def send(ctx):
        nonlocal overruns
        for i, byte in enumerate(line + bytes([FLAG] * 3)):
            ctx.set(dut.words.ready, i > late)
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            overruns += ctx.get(dut.overrun)
            await ctx.tick()

    found = frames_from(dut, send)
    good = [frame.words for frame in found if not frame.damaged]
    assert all(words in packets for words in good)
    assert len(good) + overruns == len(packets)
    assert (overruns == 0) == (late < 15)
    assert packets[-1] in good


def test_rtl_sends_what_the_model_encodes():
    dut = Framer()
    packets = [words for words, _ in damaged_lines(np.random.default_rng(3), 60)]
    sent = bytearray()

    async def give(ctx):
        for words in packets:
            for i, word in enumerate(words):
                ctx.set(dut.words.payload, {"data": word, "last": i == len(words) - 1})
                ctx.set(dut.words.valid, 1)
                await ctx.tick().until(dut.words.ready)
            ctx.set(dut.words.valid, 0)
        await ctx.tick().repeat(60)

    async def take(ctx):
        ready = np.random.default_rng(0).random(20_000) < 0.7
        cycle = 0
        while True:
            ctx.set(dut.bytes.ready, bool(ready[cycle]))
            _, _, valid, byte = await ctx.tick().sample(dut.bytes.valid, dut.bytes.payload)
            if valid and ready[cycle]:
                sent.append(byte)
            cycle += 1

    simulate(dut, give, take)
    assert bytes(sent) == b"".join(encode(words) for words in packets)
