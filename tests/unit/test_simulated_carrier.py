"""The carrier of a simulated chip, cycle by cycle, with signals that are not simulated."""

import asyncio
from types import SimpleNamespace

import pytest

from ohmulator.host import simulated
from ohmulator.host.simulated import POLL_CYCLES, SimulatedCarrier
from sim.lockstep import LockstepError
from spec.counters import NOT_COUNTED
from spec.packet import REPLY, Packet, packet
from tests.support.configs import TWO_TILES

HALF = NOT_COUNTED & 0xFFFFFFFF


class Signal:
    """A signal, in the place of both a handle of cocotb and of the simulator."""

    def __init__(self):
        self.value = 0
        self._handle = self

    def get_signal_val_long(self):
        return self.value

    def get_signal_val_binstr(self):
        return f"{self.value:032b}"

    def set_signal_val_int(self, _, value):
        self.value = value

    def set_signal_val_binstr(self, _, text):
        self.value = int(text, 2)


class Bench:
    """A carrier, whose cycles a function sees: it gets the signals by name and the cycle."""

    def __init__(self, monkeypatch, cycle=lambda dut, now: None):
        monkeypatch.setattr(simulated, "FallingEdge", lambda clk: self)
        names = ("tdata", "tlast", "tvalid", "tready")
        ports = [f"{side}_axis__{name}" for side in "sm" for name in names]
        self.dut = SimpleNamespace(clk=None, **{name: Signal() for name in ports})
        self.status = SimpleNamespace(running=False)
        self.lockstep = SimpleNamespace(
            config=TWO_TILES, mismatch="", model=SimpleNamespace(status=self.status)
        )
        self.now, self._cycle = 0, cycle
        self.carrier = SimulatedCarrier(self.dut, self.lockstep)
        self.reply = [0, 0]
        self.carrier._responder = SimpleNamespace(respond=lambda words: list(self.reply))
        self._cycle(self.dut, 0)

    def __await__(self):
        self.now += 1
        self._cycle(self.dut, self.now)
        return
        yield

    def do(self, method, *arguments):
        """Run a method that would block a thread beside the simulation."""
        return asyncio.run(
            getattr(type(self.carrier), method).__wrapped__(self.carrier, *arguments)
        )


def receive(monkeypatch, comes, timeout_cycles):
    """Return the bench after a reply whose words are valid in some cycles, and its words."""

    def cycle(dut, now):
        word, last = comes.get(now, (0, 0))
        dut.m_axis__tvalid.value = now in comes
        dut.m_axis__tdata.value, dut.m_axis__tlast.value = word, last

    bench = Bench(monkeypatch, cycle)
    frame = bench.do("receive", timeout_cycles / TWO_TILES.machine.clock_hz)
    assert bench.dut.m_axis__tready.value == 0
    return bench, frame


def test_a_reply_is_taken_to_its_last_word(monkeypatch):
    comes = {0: (0xFFFFFFFF, 0), 3: (5, 0), 4: (6, 1), 5: (7, 1)}
    bench, frame = receive(monkeypatch, comes, 10)
    assert (frame.words, frame.damaged, bench.now) == ([0xFFFFFFFF, 5, 6], False, 5)


@pytest.mark.parametrize("cycles", [0, 1, 7])
def test_a_reply_that_is_not_complete_in_time_is_none(monkeypatch, cycles):
    bench, frame = receive(monkeypatch, {}, cycles)
    assert (frame, bench.now) == (None, cycles)
    bench, frame = receive(monkeypatch, {0: (1, 0), cycles: (2, 1)}, cycles)
    assert (frame, bench.now) == (None, cycles)
    if cycles:
        bench, frame = receive(monkeypatch, {cycles - 1: (2, 1)}, cycles)
        assert (frame.words, bench.now) == ([2], cycles)


def test_a_command_is_sent_word_by_word_as_the_chip_takes_it(monkeypatch):
    taken = []

    def cycle(dut, now):
        if dut.s_axis__tready.value and dut.s_axis__tvalid.value:
            taken.append((dut.s_axis__tdata.value, dut.s_axis__tlast.value))
        dut.s_axis__tready.value = now % 3 == 2

    bench = Bench(monkeypatch, cycle)
    words = packet(Packet.READ, 1, [2, 0xFFFFFFFE, 4])
    bench.do("send", words)
    assert taken == [(word, i == len(words) - 1) for i, word in enumerate(words)]
    assert bench.dut.s_axis__tvalid.value == 0
    assert bench.now == 3 * len(words)


@pytest.mark.parametrize(("ends", "waited"), [(0, 0), (20, 20), (None, POLL_CYCLES)])
def test_a_status_waits_for_the_end_of_a_program_but_not_for_ever(monkeypatch, ends, waited):
    def cycle(dut, now):
        dut.s_axis__tready.value = 1
        if hasattr(bench, "status"):
            bench.status.running = ends is None or now < ends

    bench = SimpleNamespace()
    bench = Bench(monkeypatch, cycle)
    bench.status.running = ends != 0
    bench.do("send", packet(Packet.STATUS, 1))
    assert bench.now == waited + 2
    assert POLL_CYCLES == 500
    bench.now = 0
    bench.do("send", packet(Packet.ABORT, 2))
    assert bench.now == 2


@pytest.mark.parametrize(
    ("cycles", "done", "waited"), [(5, 9, 5), (5, 3, 3), (-1, 30, 30), (0, 3, 0)]
)
def test_time_passes_until_something_is_done(monkeypatch, cycles, done, waited):
    bench = Bench(monkeypatch)
    bench.do("wait", lambda: bench.now >= done, cycles)
    assert bench.now == waited


def test_a_difference_ends_all_waiting(monkeypatch):
    def cycle(dut, now):
        if now == 4:
            bench.lockstep.mismatch = "they differ"

    bench = Bench(monkeypatch, cycle)
    with pytest.raises(LockstepError, match="they differ"):
        bench.do("wait", lambda: False, -1)
    assert bench.now == 4
    with pytest.raises(LockstepError, match="they differ"):
        bench.do("send", packet(Packet.ABORT, 1))
    assert bench.now == 4
    with pytest.raises(LockstepError, match="they differ"):
        bench.do("receive", 0.0)


def answer(monkeypatch, kind, wanted, got, running=False):
    """Send a command that the model answers so, and take the chip's answer."""

    def cycle(dut, now):
        dut.s_axis__tready.value = 1
        at = now - 100
        dut.m_axis__tvalid.value = 0 <= at < len(got)
        if 0 <= at < len(got):
            dut.m_axis__tdata.value, dut.m_axis__tlast.value = got[at], at == len(got) - 1

    bench = Bench(monkeypatch, cycle)
    bench.status.running = running
    bench.reply = wanted
    bench.do("send", packet(kind, 3))
    return bench.do("receive", 1e-5).words


def test_replies_are_those_of_the_model(monkeypatch):
    words = packet(Packet.READ + REPLY, 3, [1, 2, 3])
    assert answer(monkeypatch, Packet.READ, words, words) == words
    for at in range(len(words)):
        other = [word ^ (i == at) for i, word in enumerate(words)]
        with pytest.raises(LockstepError, match=r"packet of type 0x02 differs\n  expected  .*0x4f"):
            answer(monkeypatch, Packet.READ, words, other)
        # How far a program is when the command arrives is not known.
        assert answer(monkeypatch, Packet.READ, words, other, running=True) == other


def test_counters_that_the_model_does_not_have_are_not_compared(monkeypatch):
    """Both of their words; any other counter is, and so is one half that only looks like it."""
    model = [5, 0, HALF, HALF, 6, 7, HALF, 0, 0, HALF, 8, HALF, HALF, HALF]
    words = packet(Packet.COUNTERS + REPLY, 3, model)
    known = [not 2 <= i < 4 and not i >= 12 for i in range(len(model))]
    assert answer(monkeypatch, Packet.COUNTERS, words, words) == words
    for at, compared in enumerate(known):
        other = [*words]
        other[2 + at] ^= 1
        if compared:
            with pytest.raises(LockstepError, match="packet of type 0x07 differs"):
                answer(monkeypatch, Packet.COUNTERS, words, other)
        else:
            assert answer(monkeypatch, Packet.COUNTERS, words, other) == other
    for at in (0, 1):
        other = [word ^ (i == at) for i, word in enumerate(words)]
        with pytest.raises(LockstepError):
            answer(monkeypatch, Packet.COUNTERS, words, other)
    with pytest.raises(LockstepError):
        answer(monkeypatch, Packet.READ, words, [word ^ (i == 4) for i, word in enumerate(words)])
