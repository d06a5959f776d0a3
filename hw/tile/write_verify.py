"""Programming by write-verify: read a cell, compare, pulse, and again until it fits.

The procedure is that of `golden.tile.write_verify`. Cells come and go one by one, so that any
region can be programmed, in any order, and products can run between two cells.
"""

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import CellLayout, Mode
from hw.converter.adc import CodesLayout
from hw.converter.dac import PlaneLayout
from spec.config import ChipConfig
from spec.tables import Mapping


class TargetLayout(data.StructLayout):
    """A `cell` and the `level` that it is to hold."""

    def __init__(self, config: ChipConfig):
        super().__init__({"cell": CellLayout(config), "level": config.array.cell_bits})


class OutcomeLayout(data.StructLayout):
    """What became of a cell: `success`, its last `code`, and the `pulses` it took."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "success": 1,
                "code": signed(config.converter.adc_bits),
                "pulses": range(config.programming.pulse_limit + 1),
            }
        )


class State(enum.Enum, shape=3):  # type: ignore[call-arg]
    """What the engine waits for."""

    IDLE = 0
    SAMPLE = 1
    CONVERT = 2
    PULSE = 3
    REPORT = 4


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
        What the ADCs made of them.
    busy : Out, 1
        The array belongs to this engine.
    mode, cell, amplitude, strobe, settled
        As in `hw.boundary.analog.AnalogPort`.
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
                "mode": Out(Mode),
                "cell": Out(CellLayout(config)),
                "amplitude": Out(config.programming.pulse_bits),
                "strobe": Out(1),
                "settled": In(1),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()

        state = Signal(State)
        level = Signal(config.array.cell_bits)
        pulses = Signal(range(config.programming.pulse_limit + 1))
        # Every level has a code of its own, read as a constant table.
        codes = [Const(code, signed(config.converter.adc_bits)) for code in config.verify_targets]
        goal = Array(codes)[level]
        settled = self.settled & ~self.strobe

        m.d.comb += [
            self.targets.ready.eq(state == State.IDLE),
            self.busy.eq(state != State.IDLE),
            self.outcomes.valid.eq(state == State.REPORT),
            self.outcomes.payload.pulses.eq(pulses),
            self.planes.valid.eq((state == State.SAMPLE) & settled),
            self.planes.payload.single.eq(1),
            self.planes.payload.group.eq(self.cell.group),
            *(step.eq(config.verify_step) for step in self.planes.payload.step),
            self.codes.ready.eq(state == State.CONVERT),
        ]

        read = [self.mode.eq(Mode.READ), self.strobe.eq(1), state.eq(State.SAMPLE)]
        code = Array(self.codes.payload.code)[self._converter()]
        miss = Signal(signed(config.converter.adc_bits + 1))
        m.d.comb += miss.eq(code - goal)
        low, high = miss < -config.verify_tolerance, miss > config.verify_tolerance
        if config.verify_code < 0:
            low, high = high, low
        strongest = (1 << config.programming.pulse_bits) - 1
        higher = self.amplitude + config.programming.pulse_increment
        # Direction of the last pulse; none has been given while `pulses` is 0.
        raised = Signal()

        m.d.sync += self.strobe.eq(0)
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(self.targets.valid):
                    m.d.sync += [
                        self.cell.eq(self.targets.payload.cell),
                        level.eq(self.targets.payload.level),
                        pulses.eq(0),
                        *read,
                    ]
            with m.Case(State.SAMPLE):
                with m.If(self.planes.valid & self.planes.ready):
                    m.d.sync += state.eq(State.CONVERT)
            with m.Case(State.CONVERT):
                with m.If(self.codes.valid):
                    m.d.sync += self.outcomes.payload.code.eq(code)
                    with m.If((low | high) & (pulses != config.programming.pulse_limit)):
                        m.d.sync += [
                            pulses.eq(pulses + 1),
                            raised.eq(low),
                            self.amplitude.eq(Mux(higher > strongest, strongest, higher)),
                            self.mode.eq(Mux(low, Mode.SET, Mode.RESET)),
                            self.strobe.eq(1),
                            state.eq(State.PULSE),
                        ]
                        with m.If((pulses == 0) | (raised != low)):
                            m.d.sync += self.amplitude.eq(config.programming.pulse_first)
                    with m.Else():
                        m.d.sync += [
                            self.outcomes.payload.success.eq(~(low | high)),
                            self.mode.eq(Mode.IDLE),
                            state.eq(State.REPORT),
                        ]
            with m.Case(State.PULSE):
                with m.If(settled):
                    m.d.sync += read
            with m.Case(State.REPORT):
                with m.If(self.outcomes.ready):
                    m.d.sync += state.eq(State.IDLE)
        return m

    def _converter(self):
        """Return the index of the ADC that reads the cell."""
        config, cell = self.config, self.cell
        lane = cell.slice * config.converter.adcs + cell.adc
        if config.array.mapping is Mapping.OFFSET:
            return Mux(cell.side, config.converters - 1, lane)
        return lane
