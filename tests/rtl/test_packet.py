"""Packets: the responder in RTL answers word for word as the model does, whatever it is sent."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from hypothesis import given
from hypothesis import strategies as st

from golden.link.responder import Responder
from hw.link import responder as rtl
from spec.isa import ErrorCode, Space
from spec.packet import (
    COMMANDS,
    ERROR,
    HEADER,
    MAX_WORDS,
    PACKET_MAGIC,
    REPLY,
    Packet,
    pack,
    packet,
    unpack,
)
from tests.support.memory_device import IDENTITY, SIZES, WEIGHT_RANGE, GoldenDevice, MemoryDevice
from tests.support.monitors import simulator
from tests.support.random_frames import random_frames


def golden() -> Responder:
    return Responder(GoldenDevice(4), IDENTITY)


def answer(frames, idle=(0,), stall=(0,)):
    """Return the replies of the RTL to (words, damaged) sent one at a time.

    `idle` and `stall` are cycles before each word of a command and of a reply, over and over.
    """
    m = Module()
    m.submodules.responder = responder = rtl.Responder(SIZES, IDENTITY, 4)
    m.submodules.device = device = MemoryDevice(4)
    wiring.connect(m, responder.memory, device.memory)
    wiring.connect(m, responder.control, device.control)
    commands, replies = responder.commands, responder.replies
    answers = []

    async def host(ctx):
        pauses, stalls = itertools.cycle(idle), itertools.cycle(stall)
        for words, damaged in frames:
            for i, word in enumerate(words):
                if pause := next(pauses):
                    ctx.set(commands.valid, 0)
                    await ctx.tick().repeat(pause)
                last = i == len(words) - 1
                ctx.set(commands.payload.as_value(), word | last << 32 | (damaged and last) << 33)
                ctx.set(commands.valid, 1)
                await ctx.tick().until(commands.ready)
            ctx.set(commands.valid, 0)
            reply = []
            while True:
                ctx.set(replies.ready, 0)
                if pause := next(stalls):
                    await ctx.tick().repeat(pause)
                ctx.set(replies.ready, 1)
                for _ in range(1000):
                    _, _, valid, payload = await ctx.tick().sample(
                        replies.valid, replies.payload.as_value()
                    )
                    if valid:
                        break
                assert valid, f"no reply to {words}"
                reply.append(payload & 0xFFFFFFFF)
                if payload >> 32:
                    break
            ctx.set(replies.ready, 0)
            answers.append(reply)

    sim = simulator(m)
    sim.add_clock(1e-8)
    sim.add_testbench(host)
    sim.run()
    return answers


def check(frames, **pauses):
    """Compare RTL and model on a list of (words, damaged); return the replies."""
    model = golden()
    expected = [model.respond(words, damaged=damaged) for words, damaged in frames]
    for (words, damaged), rtl_reply, reply in zip(
        frames, answer(frames, **pauses), expected, strict=True
    ):
        assert rtl_reply == reply, f"to {[hex(w) for w in words]}, damaged={damaged}"
    return expected


def codes(replies) -> list[ErrorCode]:
    return [ErrorCode(unpack(HEADER, reply[0])["code"]) for reply in replies]


words32 = st.integers(0, (1 << 32) - 1)


@given(st.sampled_from(list(COMMANDS)), st.integers(0, 255), st.lists(words32, max_size=9))
def test_fields_come_back(kind, sequence, payload):
    words = packet(kind, sequence, payload)
    assert unpack(HEADER, words[0]) == {
        "code": 0,
        "sequence": sequence,
        "type": kind,
        "magic": PACKET_MAGIC,
    }
    assert words[1:] == [len(payload), *payload]


def test_fields_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="sequence must fit 8 bits, not 256"):
        packet(Packet.RUN, 256)


@given(
    st.sampled_from(list(Space)), st.integers(0, 600), st.lists(words32, min_size=1, max_size=20)
)
def test_written_words_are_read_or_refused_whole(space, address, words):
    responder = golden()
    before = {s: list(m) for s, m in responder.device.memory.items()}
    reply = responder.respond(packet(Packet.WRITE, 1, [space, address, *words]))
    fits = address + len(words) <= SIZES[space]
    low, high = WEIGHT_RANGE if space is Space.WEIGHT else (-(1 << 31), (1 << 31) - 1)
    legal = all(low <= int(np.uint32(word).astype(np.int32)) <= high for word in words)
    if fits and legal:
        assert reply == packet(Packet.WRITE | REPLY, 1)
        read = responder.respond(packet(Packet.READ, 2, [space, address, len(words)]))
        assert read == packet(Packet.READ | REPLY, 2, words)
    else:
        code = ErrorCode.VALUE if fits else ErrorCode.RANGE
        assert reply == packet(ERROR, 1, code=code)
        assert responder.device.memory == before


def test_every_refusal_by_its_code():
    everything = [7] * MAX_WORDS
    cases = [
        (ErrorCode.CRC, packet(Packet.STATUS, 1), True),
        (ErrorCode.HEADER, [pack(HEADER, code=0, sequence=2, type=1, magic=0x4E), 0], False),
        (ErrorCode.HEADER, packet(Packet.STATUS, 3, code=1), False),
        (ErrorCode.LENGTH, packet(Packet.STATUS, 4)[:1], False),
        (ErrorCode.LENGTH, packet(Packet.RUN, 5, [0])[:-1], False),
        (ErrorCode.LENGTH, [*packet(Packet.RUN, 6, [0]), 0], False),
        (ErrorCode.LENGTH, packet(Packet.RUN, 7), False),
        (ErrorCode.LENGTH, packet(Packet.STATUS, 8, [0]), False),
        (ErrorCode.LENGTH, packet(Packet.WRITE, 9, [Space.VECTOR, 0]), False),
        (ErrorCode.LENGTH, packet(Packet.WRITE, 10, [Space.VECTOR, 0, *everything, 7]), False),
        (ErrorCode.LENGTH, packet(Packet.READ, 11, [Space.VECTOR, 0, 0]), False),
        (ErrorCode.LENGTH, packet(Packet.READ, 12, [Space.VECTOR, 0, MAX_WORDS + 1]), False),
        (ErrorCode.LENGTH, packet(Packet.READ, 13, [Space.VECTOR, 0, 1 << 31]), False),
        (ErrorCode.TYPE, packet(0, 14), False),
        (ErrorCode.TYPE, packet(Packet.READ | REPLY, 15, [1, 2]), False),
        (ErrorCode.SPACE, packet(Packet.READ, 16, [len(Space), 0, 1]), False),
        (ErrorCode.SPACE, packet(Packet.WRITE, 17, [0x80000000, 0, 1]), False),
        (ErrorCode.RANGE, packet(Packet.READ, 18, [Space.VECTOR, 512, 1]), False),
        (ErrorCode.RANGE, packet(Packet.READ, 19, [Space.VECTOR, 511, 2]), False),
        (ErrorCode.RANGE, packet(Packet.WRITE, 20, [Space.SCALAR, 0xFFFFFFFF, 1, 2]), False),
        (ErrorCode.VALUE, packet(Packet.WRITE, 21, [Space.WEIGHT, 0, 5, 6]), False),
        (ErrorCode.VALUE, packet(Packet.WRITE, 22, [Space.WEIGHT, 0, 0xFFFFFFF8]), False),
        (ErrorCode.NONE, packet(Packet.WRITE, 23, [Space.HOLDING, 0, 6]), False),
        (ErrorCode.NONE, packet(Packet.WRITE, 24, [Space.WEIGHT, 298, 5, 0xFFFFFFF9]), False),
        (ErrorCode.NONE, packet(Packet.WRITE, 25, [Space.VECTOR, 256, *everything]), False),
        (ErrorCode.NONE, packet(Packet.READ, 26, [Space.VECTOR, 256, MAX_WORDS]), False),
        (ErrorCode.NONE, packet(Packet.RUN, 27, [31]), False),
        (ErrorCode.BUSY, packet(Packet.RUN, 28, [31]), False),
        (ErrorCode.BUSY, packet(Packet.READ, 29, [Space.VECTOR, 0, 1]), False),
        (ErrorCode.BUSY, packet(Packet.WRITE, 30, [Space.VECTOR, 0, 1]), False),
        (ErrorCode.NONE, packet(Packet.ABORT, 31), False),
        (ErrorCode.NONE, packet(Packet.STATUS, 32), False),
        (ErrorCode.NONE, packet(Packet.IDENTIFY, 33), False),
        (ErrorCode.NONE, packet(Packet.COUNTERS, 34), False),
    ]
    replies = check([(words, damaged) for _, words, damaged in cases], idle=(0, 2), stall=(0, 1))
    assert codes(replies) == [code for code, _, _ in cases]
    assert [unpack(HEADER, reply[0])["sequence"] for reply in replies] == [*range(1, 35)]


def test_retry_is_answered_and_not_executed_again():
    run, write = packet(Packet.RUN, 3, [4]), packet(Packet.WRITE, 3, [Space.VECTOR, 0, 5])
    abort = packet(Packet.ABORT, 4)
    read = packet(Packet.READ, 9, [Space.VECTOR, 0, 1])
    counters = packet(Packet.COUNTERS, 10)
    frames = [
        *[(write, False), (write, True), (write, False), (read, False), (read, False)],
        *[(run, False), (run, True), (run, False)],
        *[(abort, False), (abort, False), (counters, False)],
        # The same number is a new command after any other: even a refused one.
        *[(run, False), (packet(Packet.RUN, 5, []), False), (abort, False), (run, False)],
        *[(abort, False), (counters, False)],
    ]
    replies = check(frames)
    assert replies[10][2::2][:3] == [1, 1, 1], "runs, aborts and words written"
    assert replies[-1][2::2][:3] == [3, 3, 1]


def test_random_frames_with_pauses():
    frames = list(random_frames(np.random.default_rng(4), 600))
    seen = codes(check(frames, idle=(0, 0, 0, 1), stall=(0, 0, 2, 0)))
    for code in ErrorCode:
        assert (code in seen) == (code is ErrorCode.NONE or code >= ErrorCode.BUSY), code
