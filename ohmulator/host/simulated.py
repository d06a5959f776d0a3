"""Carry packets to a simulated chip over AXI4-Stream, and check its replies against the model's."""

from collections.abc import Callable, Sequence
from typing import Any

from cocotb.task import resume
from cocotb.triggers import FallingEdge

from golden.link.responder import Responder
from ohmulator.host.framing import Frame
from sim.lockstep import Lockstep, LockstepError
from sim.packing import pack_word, unpack_word
from sim.signals import read_bits, read_flag, write_bits, write_flag
from spec.counters import NOT_COUNTED
from spec.isa import WORD_BITS
from spec.packet import HEADER, HEADER_WORDS, Packet, identity, unpack

POLL_CYCLES = 500
"""Cycles that a STATUS packet waits at most for the end of a running program."""


class SimulatedCarrier:
    """Carry packets for blocking code that runs beside the simulation.

    Parameters
    ----------
    dut
        Simulated top level with AXI4-Stream ports `s_axis` and `m_axis`.
    lockstep
        Model beside it.
    """

    def __init__(self, dut: Any, lockstep: Lockstep):
        self._dut, self._lockstep = dut, lockstep
        self._edge = FallingEdge(dut.clk)
        self._responder = Responder(lockstep.model, identity(lockstep.config))
        self._expected: list[int] | None = None
        self._kind = 0
        write_flag(dut.s_axis__tvalid, 0)
        write_flag(dut.m_axis__tready, 0)

    @resume
    async def send(self, words: Sequence[int]) -> None:
        """Send a packet.

        Raises
        ------
        LockstepError
            If RTL and model differ.
        """
        # A difference leaves a reply behind that nobody takes: the chip would not take a command.
        self._refuse_mismatch()
        dut = self._dut
        self._kind = unpack(HEADER, words[0])["type"]
        if self._kind == Packet.STATUS:
            await self._wait(lambda: not self._lockstep.model.status.running, POLL_CYCLES)
        # How far a program is when the command arrives is not known yet.
        known = not self._lockstep.model.status.running
        reply = self._responder.respond(words)
        self._expected = reply if known else None
        write_flag(dut.s_axis__tvalid, 1)
        for i, word in enumerate(words):
            write_bits(dut.s_axis__tdata, pack_word(word, WORD_BITS))
            write_flag(dut.s_axis__tlast, i == len(words) - 1)
            while not read_flag(dut.s_axis__tready):
                await self._edge
            await self._edge
        write_flag(dut.s_axis__tvalid, 0)
        self._refuse_mismatch()

    @resume
    async def receive(self, timeout_s: float) -> Frame | None:
        """Return the next reply, or None if it is not complete in time.

        Raises
        ------
        LockstepError
            If RTL and model differ, or the reply is not that of the model.
        """
        dut = self._dut
        words: list[int] = []
        last = False
        write_flag(dut.m_axis__tready, 1)
        left = round(timeout_s * self._lockstep.config.machine.clock_hz)
        while not last and left:
            if read_flag(dut.m_axis__tvalid):
                words.append(unpack_word(read_bits(dut.m_axis__tdata)))
                last = bool(read_flag(dut.m_axis__tlast))
            await self._edge
            left -= 1
        write_flag(dut.m_axis__tready, 0)
        self._refuse_mismatch()
        if not last:
            return None
        self._check(words)
        return Frame(words, False)

    @resume
    async def wait(self, done: Callable[[], bool], cycles: int) -> None:
        """Let time pass until something is done, at most some cycles."""
        await self._wait(done, cycles)
        self._refuse_mismatch()

    def close(self) -> None:
        """Do nothing: the simulation ends by itself."""

    async def _wait(self, done: Callable[[], bool], cycles: int) -> None:
        while cycles and not done() and not self._lockstep.mismatch:
            await self._edge
            cycles -= 1

    def _refuse_mismatch(self) -> None:
        if self._lockstep.mismatch:
            raise LockstepError(self._lockstep.mismatch)

    def _check(self, words: list[int]) -> None:
        expected = self._expected
        if expected is None:
            return
        want, got = expected, words
        if self._kind == Packet.COUNTERS:
            uncounted = [i for i, word in enumerate(want) if i >= HEADER_WORDS and _timed(want, i)]
            want = [0 if i in uncounted else word for i, word in enumerate(want)]
            got = [0 if i in uncounted else word for i, word in enumerate(got)]
        if want != got:
            raise LockstepError(
                f"mismatch: the reply to a packet of type {self._kind:#04x} differs\n"
                f"  expected      {[hex(word) for word in want]}\n"
                f"  actual        {[hex(word) for word in got]}"
            )


def _timed(reply: Sequence[int], i: int) -> bool:
    """Tell whether word i of a reply is half of a counter that the model does not have."""
    pair = i - (i - HEADER_WORDS) % 2
    return reply[pair] | reply[pair + 1] << WORD_BITS == NOT_COUNTED
