"""Systems of equations on the loop of a tile: INV; see `golden.machine.inversion_unit`.

    vector memory -> feedback codes, DAC codes -> tile -> codes, exponent -> vector memory

Words pass one a cycle: loops settle, and their outputs are converted, for longer.
"""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, shift_left, shift_right
from hw.common.ranges import index, vector_address, vector_extent
from hw.inverse.interfaces import AnswerLayout, EquationLayout
from hw.machine.scheduler import RoundPort
from hw.machine.vector_memory import ReadPort, WritePort
from spec.config import ChipConfig
from spec.isa import ANSWER_WORDS, WORD_BITS


class InversionUnit(wiring.Component):
    """Feed the systems of an INV to a loop, and write its answers.

    Members
    -------
    run : In, `RoundPort`
        Of its round only the shape of the matrix, the count and the addresses matter. Stopped, it
        waits for the loop, and drops what that answers.
    feedback : In, `vector_address`
        Where the feedback codes begin.
    step : In, `index(inv_steps)`
        ADC step of the first conversion.
    read, write : Out, `ReadPort` and `WritePort`
        Vector memory.
    equations : Out, stream of `EquationLayout`
    answers : In, stream of `AnswerLayout`
    clips : Out, 1
        A feedback code outside of its range is clamped in this cycle.
    unsettled : Out, 1
        The last loop did not settle; until the next start.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "run": In(RoundPort(config)),
                "feedback": In(vector_address(config)),
                "step": In(index(config.inversion.inv_steps)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
                "equations": Out(stream.Signature(EquationLayout(config))),
                "answers": In(stream.Signature(AnswerLayout(config))),
                "clips": Out(1),
                "unsettled": Out(1),
            }
        )

    def elaborate(self, platform):
        config, run, answer = self.config, self.run, self.answers.payload
        round_, size = run.round, config.array.rows
        m = Module()
        # Systems to come; where the present one and its answer begin.
        left = Signal(vector_extent(config))
        source = Signal(vector_address(config))
        destination = Signal(vector_address(config))
        # Word that is asked for or written.
        number = Signal(range(size + ANSWER_WORDS))
        largest = Signal(WORD_BITS)
        shift = Signal(signed(7))
        kept = Signal(EquationLayout(config))
        m.d.comb += [self.equations.payload.eq(kept), self.equations.payload.size.eq(round_.rows)]
        last_word = number == round_.rows - 1
        scaled = Signal(signed(config.inversion.inv_dac_bits + 1))
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += number.eq(0)
                with m.If(run.start):
                    m.d.sync += [
                        left.eq(round_.count),
                        source.eq(round_.source),
                        destination.eq(round_.destination),
                        kept.step.eq(self.step),
                        self.unsettled.eq(0),
                    ]
                    m.next = "FEEDBACK"
            with m.State("FEEDBACK"):
                m.d.comb += [self.read.en.eq(1), self.read.address.eq(self.feedback + number)]
                m.d.sync += [number.eq(number + 1), largest.eq(0), kept.code.eq(0)]
                with m.If((number == size - 1) | run.stop):
                    m.d.sync += number.eq(0)
                    m.next = "SCAN"
            with m.State("SCAN"):
                m.d.comb += [self.read.en.eq(1), self.read.address.eq(source + number)]
                m.d.sync += number.eq(number + 1)
                with m.If(last_word | run.stop):
                    m.d.sync += number.eq(0)
                    m.next = "SCANNED"
            with m.State("SCANNED"):
                m.next = "SCALE"
            with m.State("SCALE"):
                m.d.sync += shift.eq(self._first_shift(largest))
                m.next = "ROUND"
            with m.State("ROUND"):
                # The largest word may be rounded up beyond the largest code.
                m.d.sync += shift.eq(shift + (scaled > config.inversion.inv_code_top))
                m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += [self.read.en.eq(1), self.read.address.eq(source + number)]
                m.d.sync += number.eq(number + 1)
                with m.If(last_word):
                    m.d.sync += number.eq(0)
                    m.next = "CODED"
                with m.If(run.stop):
                    m.next = "IDLE"
            with m.State("CODED"):
                m.next = "SOLVE"
            with m.State("SOLVE"):
                m.d.comb += self.equations.valid.eq(1)
                with m.If(self.answers.valid):
                    m.d.sync += self.unsettled.eq(~answer.settled)
                    m.next = "WRITE"
                    with m.If(run.stop | ~answer.settled):
                        m.d.comb += self.answers.ready.eq(1)
                        m.next = "IDLE"
            with m.State("WRITE"):
                m.d.comb += [self.equations.valid.eq(1), self.write.en.eq(1)]
                m.d.sync += number.eq(number + 1)
                with m.If(number == round_.rows + (ANSWER_WORDS - 1)):
                    m.d.comb += self.answers.ready.eq(1)
                    m.d.sync += [
                        left.eq(left - 1),
                        source.eq(source + round_.rows),
                        destination.eq(destination + round_.rows + ANSWER_WORDS),
                        number.eq(0),
                        largest.eq(0),
                        kept.code.eq(0),
                        kept.step.eq(answer.step),
                    ]
                    m.next = "SCAN"
                    with m.If((left == 1) | run.stop):
                        m.next = "IDLE"
        m.d.comb += run.busy.eq(~fsm.ongoing("IDLE"))
        word = self.read.data[0]
        operand = Mux(fsm.ongoing("ROUND"), largest, word)
        m.d.comb += scaled.eq(self._scaled(operand, shift))
        self._take_words(m, fsm, number, largest, scaled, kept)
        self._write_answer(m, number, shift, destination)
        return m

    def _first_shift(self, largest: Value) -> Value:
        """Return the shift to the right that makes the largest word as long as the largest code."""
        length = Const(0, 6)
        for bit in range(len(largest)):
            length = Mux(largest[bit], bit + 1, length)
        top = self.config.inversion.inv_code_top
        return Mux(largest.any(), length - top.bit_length(), 0)

    def _scaled(self, word: Value, shift: Value) -> Value:
        """Return a word shifted to the right, to the nearest, halves up, or to the left."""
        right = (shift_right(word, (shift - 1)[:5]) + 1) >> 1
        left = shift_left(word, (-shift)[:4])
        return Mux(shift > 0, right, left)

    def _take_words(
        self, m: Module, fsm: Any, number: Value, largest: Value, scaled: Value, kept: data.View
    ) -> None:
        """Take the words that were asked for in the cycle before."""
        inversion = self.config.inversion
        word = self.read.data[0]
        magnitude = Mux(word < 0, -word, word)[:WORD_BITS]
        feeding, scanning, coding = Signal(), Signal(), Signal()
        place = Signal(range(self.config.array.rows))
        m.d.sync += [
            feeding.eq(fsm.ongoing("FEEDBACK")),
            scanning.eq(fsm.ongoing("SCAN")),
            coding.eq(fsm.ongoing("CODE")),
            place.eq(number),
        ]
        near, outside = clamp(word, unsigned(inversion.feedback_bits))
        m.d.comb += self.clips.eq(feeding & outside)
        with m.If(feeding):
            m.d.sync += kept.feedback[place].eq(near)
        with m.If(scanning & (magnitude > largest)):
            m.d.sync += largest.eq(magnitude)
        with m.If(coding):
            m.d.sync += kept.code[place].eq(scaled)

    def _write_answer(self, m: Module, number: Value, shift: Value, destination: Value) -> None:
        """Choose the word of the answer that is written."""
        answer, rows = self.answers.payload, self.run.round.rows
        places = self.config.inversion.solution_places
        word = Signal(signed(WORD_BITS))
        m.d.comb += [
            self.write.address.eq(destination + number),
            # One lane alone is written.
            self.write.mask.eq(1),
            *(lane.eq(word) for lane in self.write.data),
            word.eq(answer.code[number]),
        ]
        with m.If(number == rows):
            m.d.comb += word.eq(answer.step + shift - places)
        with m.Elif(number == rows + 1):
            m.d.comb += word.eq(answer.step)
        with m.Elif(number == rows + 2):
            m.d.comb += word.eq(answer.saturated)
