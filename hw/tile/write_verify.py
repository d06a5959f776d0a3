"""Programming by write-verify: read a cell, compare, pulse, and again until it fits.

The procedure is that of `golden.tile.write_verify`. Cells come and go one by one, so that any
region can be programmed, in any order, and products can run between two cells.
"""

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import CellLayout, Mode
from hw.boundary.drive import DrivePort
from hw.common.arithmetic import clamp, pick
from hw.converter.adc import CodesLayout
from hw.converter.dac import PlaneLayout
from spec.config import ChipConfig
from spec.tables import Mapping


class TargetLayout(data.StructLayout):
    """A `cell`, `CellLayout`, and the `level`, unsigned(cell_bits), that it is to hold.

    `reads`, 1 bit: the cell is read once and gets no pulse.
    """

    def __init__(self, config: ChipConfig):
        super().__init__({"cell": CellLayout(config), "level": config.array.cell_bits, "reads": 1})


class OutcomeLayout(data.StructLayout):
    """Outcome of a cell.

    `success`, 1 bit; `code`, signed(adc_bits), of its last read; `pulses`, unsigned, that it took,
    at most `pulse_limit`.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "success": 1,
                "code": signed(config.converter.adc_bits),
                "pulses": range(config.programming.pulse_limit + 1),
            }
        )


class WriteVerify(wiring.Component):
    """Bring cells to their levels.

    Members
    -------
    targets : In, stream of `TargetLayout`
    outcomes : Out, stream of `OutcomeLayout`
        One for each target, in order.
    planes : Out, stream of `PlaneLayout`
        Reads, to the ADCs.
    codes : In, stream of `CodesLayout`
        Codes of these reads.
    busy : Out, 1
        The array belongs to this engine.
    reads : Out, 1
        The cell is only read.
    drive : Out, `DrivePort`
    cell : Out, `CellLayout`
    amplitude : Out, unsigned(pulse_bits)
        As in `hw.boundary.analog.AnalogPort`.
    settled : In, 1
        The array has settled, or the pulse is over, see `hw.boundary.synchronizer.Settling`.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "targets": In(stream.Signature(TargetLayout(config))),
                "outcomes": Out(stream.Signature(OutcomeLayout(config))),
                "planes": Out(stream.Signature(PlaneLayout(config))),
                "codes": In(stream.Signature(CodesLayout(config))),
                "busy": Out(1),
                "reads": Out(1),
                "drive": Out(DrivePort(config)),
                "cell": Out(CellLayout(config)),
                "amplitude": Out(config.programming.pulse_bits),
                "settled": In(1),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        outcome, plane = self.outcomes.payload, self.planes.payload
        level = Signal(config.array.cell_bits)
        pulses = Signal.like(outcome.pulses)
        code = pick(list(self.codes.payload.code), self._converter())
        low, high = self._compare(m, code, level)
        drive = self.drive
        read = [drive.begin.eq(1), drive.change.eq(1), drive.mode.eq(Mode.READ)]
        m.d.comb += [
            outcome.pulses.eq(pulses),
            plane.single.eq(1),
            plane.group.eq(self.cell.group),
            *(step.eq(config.verify_step) for step in drive.step),
        ]
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += self.targets.ready.eq(1)
                with m.If(self.targets.valid):
                    m.d.comb += read
                    m.d.sync += [
                        self.cell.eq(self.targets.payload.cell),
                        level.eq(self.targets.payload.level),
                        self.reads.eq(self.targets.payload.reads),
                        pulses.eq(0),
                    ]
                    m.next = "SAMPLE"
            with m.State("SAMPLE"):
                m.d.comb += self.planes.valid.eq(self.settled)
                with m.If(self.planes.valid & self.planes.ready):
                    m.next = "CONVERT"
            with m.State("CONVERT"):
                m.d.comb += self.codes.ready.eq(1)
                with m.If(self.codes.valid):
                    m.d.sync += outcome.code.eq(code)
                    with m.If(
                        (low | high) & ~self.reads & (pulses != config.programming.pulse_limit)
                    ):
                        self._pulse(m, low, pulses)
                        m.next = "PULSE"
                    with m.Else():
                        m.d.comb += [drive.change.eq(1), drive.mode.eq(Mode.IDLE)]
                        m.d.sync += outcome.success.eq(~(low | high))
                        m.next = "REPORT"
            with m.State("PULSE"):
                with m.If(self.settled):
                    m.d.comb += read
                    m.next = "SAMPLE"
            with m.State("REPORT"):
                m.d.comb += self.outcomes.valid.eq(1)
                with m.If(self.outcomes.ready):
                    m.next = "IDLE"
        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
        return m

    def _converter(self) -> Value:
        """Return the number of the ADC that reads the cell."""
        config, cell = self.config, self.cell
        number = cell.slice * config.converter.adcs + cell.adc
        if config.array.mapping is Mapping.OFFSET:
            return Mux(cell.side, config.converters - 1, number)
        return number

    def _compare(self, m: Module, code: Value, level: Value) -> tuple[Value, Value]:
        """Return whether the conductance that gives a code is too low, or too high, for a level."""
        config = self.config
        bits = config.converter.adc_bits
        # Every level has a code of its own, read as a constant table.
        goal = Array(Const(target, signed(bits)) for target in config.verify_targets)[level]
        miss = Signal(signed(bits + 1))
        m.d.comb += miss.eq(code - goal)
        below = miss < -config.verify_tolerance
        above = miss > config.verify_tolerance
        return (above, below) if config.verify_code < 0 else (below, above)

    def _pulse(self, m: Module, low: Value, pulses: Signal) -> None:
        """Begin a pulse: stronger than the one before in the same direction, else the first."""
        programming = self.config.programming
        # Direction of the last pulse; none has been given while `pulses` is 0.
        raised = Signal()
        stronger, _ = clamp(
            self.amplitude + programming.pulse_increment, unsigned(programming.pulse_bits)
        )
        begins = (pulses == 0) | (raised != low)
        m.d.comb += [
            self.drive.begin.eq(1),
            self.drive.change.eq(1),
            self.drive.mode.eq(Mux(low, Mode.SET, Mode.RESET)),
        ]
        m.d.sync += [
            pulses.eq(pulses + 1),
            raised.eq(low),
            self.amplitude.eq(Mux(begins, programming.pulse_first, stronger)),
        ]
