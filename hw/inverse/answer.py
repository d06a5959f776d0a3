"""A system of equations, answered by the loop: driven, awaited, and converted until a step fits.

Held values do not change, so they are converted again with another step where codes clip or leave
half of the range unused; that costs conversions, and no settling.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import AnalogPort, Mode
from hw.boundary.drive import DrivePort
from hw.boundary.synchronizer import synchronized
from hw.common.arithmetic import tree_sum
from hw.inverse.interfaces import AnswerLayout, EquationLayout
from spec.config import ChipConfig

LOOP_MEMBERS = (
    *("amplify", "inv_code", "feedback", "inv_sample", "inv_select", "inv_step", "inv_trial"),
    *("inv_above", "inv_beyond", "saturated"),
)
"""Members of `AnalogPort` that a loop has for itself."""


class LoopEvents(data.StructLayout):
    """What happens in a cycle, for the counters.

    `settles`, 1 bit; `conversions`, number of codes found; `clips_high` and `clips_low`, codes of
    an answer that stand for values beyond the range.
    """

    def __init__(self, config: ChipConfig):
        rows = range(config.array.rows + 1)
        conversions = range(config.converter.adcs + 1)
        super().__init__(
            {"settles": 1, "conversions": conversions, "clips_high": rows, "clips_low": rows}
        )


class LoopControl(wiring.Component):
    """Lead the loop of a tile through one system after the other.

    The op-amps are on from a cycle before the drive until the sample. A loop that has not settled
    within its bound is opened, and answered as not settled.

    Members
    -------
    equations : In, stream of `EquationLayout`
        Is taken together with its answer, and stays until then.
    answers : Out, stream of `AnswerLayout`
    drive : Out, `DrivePort`
    settled : In, 1
        The loop has settled, see `hw.boundary.synchronizer.Settling`.
    busy : Out, 1
        The array serves the loop.
    converting : Out, 1
        ADCs search.
    events : Out, `LoopEvents`
    amplify : Out, 1
    inv_code : Out, `rows` x signed(inv_dac_bits)
    feedback : Out, `rows` x unsigned(feedback_bits)
    inv_sample : Out, 1
    inv_select : Out, unsigned(select_bits)
    inv_step : Out, range(inv_steps)
    inv_trial : Out, `adcs` x signed(inv_adc_bits)
    inv_above, inv_beyond : In, `adcs` bits each
    saturated : In, 1
        As in `hw.boundary.analog.AnalogPort`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        port = AnalogPort(config).members
        super().__init__(
            {
                "equations": In(stream.Signature(EquationLayout(config))),
                "answers": Out(stream.Signature(AnswerLayout(config))),
                "drive": Out(DrivePort(config)),
                "settled": In(1),
                "busy": Out(1),
                "converting": Out(1),
                "events": Out(LoopEvents(config)),
                **{name: port[name] for name in LOOP_MEMBERS},
            }
        )

    def elaborate(self, platform):
        config, equation, answer = self.config, self.equations.payload, self.answers.payload
        m = Module()
        kept = Signal(AnswerLayout(config))
        m.d.comb += [
            self.inv_code.eq(equation.code),
            self.feedback.eq(equation.feedback),
            self.drive.step.eq(0),
            self.equations.ready.eq(self.answers.valid & self.answers.ready),
            answer.settled.eq(kept.settled),
            answer.code.eq(kept.code),
            answer.step.eq(self.inv_step),
            answer.saturated.eq(kept.saturated),
        ]
        closing = Signal()
        sampled, given_up = self._await(m, closing)
        last = self.inv_select == config.forward.groups - 1
        found = Signal()
        fit = Signal(_FitLayout(config))
        begin = Signal()
        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.equations.valid):
                    m.d.sync += [self.amplify.eq(1), kept.settled.eq(0)]
                    m.next = "CLOSE"
            with m.State("CLOSE"):
                m.d.comb += [
                    closing.eq(1),
                    self.drive.begin.eq(1),
                    self.drive.change.eq(1),
                    self.drive.mode.eq(Mode.INV),
                ]
                m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += self.inv_sample.eq(sampled)
                with m.If(sampled):
                    m.next = "SAMPLE"
                with m.Elif(given_up):
                    m.d.sync += self.amplify.eq(0)
                    m.d.comb += self.drive.change.eq(1)
                    m.next = "ANSWER"
            with m.State("SAMPLE"):
                # The mode becomes IDLE: the loop opens.
                m.d.comb += [self.drive.change.eq(1), self.events.settles.eq(1)]
                m.d.sync += [
                    self.inv_sample.eq(0),
                    self.amplify.eq(0),
                    self.inv_step.eq(equation.step),
                    fit.clipped.eq(0),
                    kept.settled.eq(1),
                ]
                m.d.comb += begin.eq(1)
                m.next = "CONVERT"
            with m.State("CONVERT"):
                with m.If(found & last):
                    m.next = "FIT"
            with m.State("FIT"):
                with m.If(self._fit(m, fit)):
                    m.d.comb += begin.eq(1)
                    m.next = "CONVERT"
                with m.Else():
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += self.answers.valid.eq(1)
                with m.If(self.answers.ready):
                    m.next = "IDLE"
        m.d.comb += [
            self.busy.eq(~fsm.ongoing("IDLE")),
            self.converting.eq(fsm.ongoing("CONVERT")),
        ]
        taken = self.answers.valid & self.answers.ready & kept.settled
        m.d.comb += [
            self.events.clips_high.eq(Mux(taken, fit.high, 0)),
            self.events.clips_low.eq(Mux(taken, fit.low, 0)),
        ]
        self._convert(m, fsm.ongoing("CONVERT"), begin, found, fit, kept)
        return m

    def _await(self, m: Module, begin: Value) -> tuple[Value, Value]:
        """Return whether the next cycle samples, and whether the loop is given up."""
        inversion = self.config.inversion
        cycles = inversion.cycles(self.config.machine.clock_hz)
        if inversion.inv_timer_s:
            # The drive lasts `cycles`, of which the first is that of the strobe.
            left = Signal(range(cycles))
            m.d.sync += left.eq(Mux(begin, cycles - 2, left - 1))
            return left == 0, Value.cast(0)
        left = Signal(range(cycles + self.config.array.settled_sync))
        m.d.sync += left.eq(Mux(begin, cycles + self.config.array.settled_sync - 1, left - 1))
        return self.settled, left == 0

    def _convert(
        self,
        m: Module,
        running: Value,
        begin: Value,
        found: Signal,
        fit: data.View,
        answer: data.View,
    ) -> None:
        """Find the codes of all outputs, group by group, each from the top bit down."""
        config = self.config
        bits, adcs = config.inversion.inv_adc_bits, config.converter.adcs
        groups = config.forward.groups
        stages = config.converter.comparator_sync
        above = synchronized(m, "inv_above", self.inv_above, stages)
        beyond = synchronized(m, "inv_beyond", self.inv_beyond, stages)
        saturated = synchronized(m, "saturated", self.saturated, stages)
        top = 1 << (bits - 1)
        position = Signal(bits)
        wait = Signal(range(max(2, config.decision_cycles)))
        answered = running & (wait == 0)
        m.d.comb += [
            found.eq(answered & position[0]),
            self.events.conversions.eq(Mux(found, adcs, 0)),
        ]
        with m.If(begin | answered):
            m.d.sync += wait.eq(config.decision_cycles - 1)
        with m.Elif(running):
            m.d.sync += wait.eq(wait - 1)
        with m.If(begin | found):
            m.d.sync += position.eq(top)
        with m.Elif(answered):
            m.d.sync += position.eq(position >> 1)
        last = self.inv_select == groups - 1
        with m.If(found):
            m.d.sync += [
                self.inv_select.eq(Mux(last, 0, self.inv_select + 1)),
                answer.saturated.eq(saturated),
            ]

        size = self.equations.payload.size
        used, high, low = [], [], []
        for i in range(adcs):
            kept = Signal(bits, name=f"kept_{i}")
            code = Signal(bits, name=f"code_{i}")
            trial = self.inv_trial[i]
            m.d.comb += [
                # As in `hw.converter.adc`: the search counts in offset binary.
                kept.eq((trial.as_unsigned() ^ top) & ~Mux(above[i], 0, position)),
                code.eq(kept ^ top),
            ]
            with m.If(found):
                m.d.sync += trial.eq(0)
            with m.Elif(answered):
                m.d.sync += trial.eq((kept | (position >> 1)) ^ top)
            for group in range(groups):
                with m.If(found & (self.inv_select == group)):
                    m.d.sync += answer.code[i * groups + group].eq(code)
            counts = found & (i * groups + self.inv_select < size)
            sign = code[-1]
            used.append(Mux(counts, code[:-1] ^ sign.replicate(bits - 1), 0))
            high.append(counts & beyond[i] & ~sign)
            low.append(counts & beyond[i] & sign)
        with m.If(begin):
            m.d.sync += [fit.used.eq(0), fit.high.eq(0), fit.low.eq(0)]
        with m.Elif(found):
            m.d.sync += [
                fit.used.eq(fit.used | _any(used)),
                fit.high.eq(fit.high + tree_sum(high)),
                fit.low.eq(fit.low + tree_sum(low)),
            ]

    def _fit(self, m: Module, fit: data.View) -> Value:
        """Choose the ADC step of the next conversion; return whether there is to be one."""
        beyond = (fit.high | fit.low).any()
        coarser = beyond & (self.inv_step < self.config.inversion.inv_steps - 1)
        # An output that clipped before is not tried at that step again.
        finer = ~beyond & ~fit.clipped & ~fit.used[-1] & (self.inv_step != 0)
        bits = len(fit.used)
        # By how many steps: the leading zeros of the bits that codes use.
        unused = Signal(range(bits + 1))
        m.d.comb += unused.eq(bits)
        for bit in range(bits):
            with m.If(fit.used[bit]):
                m.d.comb += unused.eq(bits - 1 - bit)
        with m.If(coarser):
            m.d.sync += [self.inv_step.eq(self.inv_step + 1), fit.clipped.eq(1)]
        with m.Elif(finer):
            less = Mux(self.inv_step > unused, self.inv_step - unused, 0)
            m.d.sync += self.inv_step.eq(less)
        return coarser | finer


class _FitLayout(data.StructLayout):
    """How well the codes found so far fit their range.

    `used`, bits of their magnitudes that any of them has; `high` and `low`, how many stand for
    values beyond the range; `clipped`, 1 bit: some did at a lower step.
    """

    def __init__(self, config: ChipConfig):
        count = range(config.array.rows + 1)
        super().__init__(
            {
                "used": config.inversion.inv_adc_bits - 1,
                "high": count,
                "low": count,
                "clipped": 1,
            }
        )


def _any(masks: list[Value]) -> Value:
    """Return the bits that any of some masks has."""
    return Cat(Cat(mask[bit] for mask in masks).any() for bit in range(len(masks[0])))
