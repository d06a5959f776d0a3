"""Put the physics of the model behind the analogue boundary of a simulated tile.

Everything happens at the falling edge of the clock: registers have settled since the rising edge,
and what is answered here is in place before the next.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from cocotb.utils import get_sim_time
from numpy.typing import NDArray

from golden.array.cells import Pulse
from golden.converter.adc import Adcs
from golden.tile.analog import Analog
from hw.boundary.analog import PRODUCT_MODES, AnalogPort, Mode
from sim.cell_payloads import unpack_cell
from sim.falling_edge import FallingEdgeHook
from sim.loop_bridge import LoopBridge
from sim.packing import pack, unpack
from sim.signals import bits_of, read_bits, read_flag, read_text, write_bits, write_flag
from sim.waves import BoundaryTrace


class Bridge:
    """Answer a tile's `AnalogPort` from an `Analog`, cycle by cycle.

    Parameters
    ----------
    dut
        Simulated top level.
    analog
        Physics of its array and converters; it is drawn from once for every sample.
    port
        Name of its `AnalogPort`.
    signals, clock
        Its members and its clock, if they go by other names.

    Attributes
    ----------
    on_sample
        Called, if set, with the cycle and the DAC codes [inputs] of each sample.
    on_conversion
        Called, if set, with the group and the codes [converters] of each conversion of the plane
        sampled last.
    trace
        Waveform that is written along, if set.
    """

    def __init__(
        self,
        dut: Any,
        analog: Analog,
        port: str = "analog",
        *,
        signals: Mapping[str, Any] | None = None,
        clock: Any = None,
    ):
        config = analog.config
        self.analog = analog
        self._edges, self._edge_time = 0, get_sim_time()
        self.on_sample: Callable[[int, NDArray[np.int64]], None] | None = None
        self.on_conversion: Callable[[int, NDArray[np.int64]], None] | None = None
        self.trace: BoundaryTrace | None = None
        self._clock = dut.clk if clock is None else clock
        # Looking a signal up takes as long as reading it.
        members = AnalogPort(config).members
        signals = signals or {name: getattr(dut, f"{port}__{name}") for name in members}
        self._strobe, self._sample = signals["strobe"], signals["sample"]
        self._select, self._step = signals["select"], signals["step"]
        self._mode_port, self._amplitude = signals["mode"], signals["amplitude"]
        self._cell = signals["cell"]
        self._code, self._settled = signals["code"], signals["settled"]
        self._beyond = signals["beyond"]
        if config.converter.searching:
            self._trial, self._above = signals["trial"], signals["above"]
            self._ask, self._patience = self._compare, config.converter.comparison_cycles - 1
        else:
            self._convert, self._found = signals["convert"], signals["found"]
            self._ask, self._patience = self._find, config.decision_cycles - 1

        self._loop: LoopBridge | None = None
        if config.machine.invertible:
            self._loop = LoopBridge(lambda: self.analog, signals, self._put)

        self._to_settle = 0
        self._mode = Mode.IDLE
        self._codes = np.zeros(config.drive_lines, np.int64)
        self._held = np.zeros((config.converters, config.forward.groups))
        self._asked: int | None = None
        self._asked_trial = ""
        self._question: tuple[Adcs, NDArray[np.float64], int] | None = None
        self._steps = ""
        self._sampled_steps = np.zeros(config.steps, np.int64)
        self._adcs = analog.adcs(self._sampled_steps)
        self._answer = np.zeros(config.converters, bool)
        # Cycles until what was asked is answered, and what is written then.
        self._to_answer = 0
        self._answers: list[tuple[Any, NDArray[np.bool_]]] = []
        write_flag(self._settled, 0)
        write_bits(self._beyond, np.zeros(config.converters, bool))
        if config.converter.searching:
            write_bits(self._above, np.zeros(config.converters, bool))
        else:
            write_bits(self._found, np.zeros(config.converters * config.converter.adc_bits, bool))

    @property
    def _transposed(self) -> bool:
        return self._mode is Mode.MVM_T

    @property
    def settled(self) -> bool:
        """Tell whether the array has settled for the present drive."""
        return not self._to_settle

    @property
    def asked(self) -> tuple[Adcs, NDArray[np.float64], int] | None:
        """ADCs, held values [converters] and group that comparators were asked about last."""
        return self._question

    @property
    def cycle(self) -> int:
        """Falling edges since the bridge was made, the present one included: read it at an edge."""
        # Other coroutines that await the edge may run before the bridge or after it.
        return self._edges + (get_sim_time() != self._edge_time)

    async def run(self) -> None:
        """Answer for ever."""
        edge = FallingEdgeHook(self._clock, self._answer_cycle)
        try:
            await edge.failure()
        finally:
            edge.stop()

    def _answer_cycle(self) -> None:
        self._edges += 1
        self._edge_time = get_sim_time()
        self._ask()
        if self._loop and self._mode is Mode.INV:
            self._loop.answer()
        if self._answers:
            self._write_answers()
        if self.trace:
            self.trace.cycle(self._held, self._sampled_steps, self._answer, self.analog)
        if read_flag(self._sample):
            # The comparators above still saw the values held until the end of this cycle.
            self._hold()
        if read_flag(self._strobe):
            self._drive()
            write_flag(self._settled, 0)
        elif self._to_settle:
            self._to_settle -= 1
            if not self._to_settle:
                write_flag(self._settled, 1)

    def _drive(self) -> None:
        """Take over the drive that begins in this cycle."""
        config = self.analog.config
        self._mode = Mode(read_flag(self._mode_port))
        self._to_settle = config.settle_cycles - 1
        if self._mode in PRODUCT_MODES:
            codes = unpack(read_bits(self._code), config.drive_lines).astype(np.int64)
            self._codes = codes[: config.direction(self._transposed).inputs]
            return
        if self._mode is Mode.INV:
            assert self._loop, "the mode INV comes from invertible tiles alone"
            cycles = self._loop.drive()
            self._to_settle = cycles - 1 if cycles > 0 else cycles
            return
        target = unpack_cell(config, read_bits(self._cell))
        self._target = target
        if self._mode is not Mode.READ:
            kind = Pulse.SET if self._mode is Mode.SET else Pulse.RESET
            where = (target.slices, target.rows, target.lines(config))
            self.analog.array.cells.pulse(*where, kind, read_flag(self._amplitude))
            self._to_settle = config.pulse_cycles - 1

    def _hold(self) -> None:
        """Sample the outputs of the array under the present drive."""
        config = self.analog.config
        self._asked = None
        self._set_steps(read_text(self._step))
        if self._mode in PRODUCT_MODES:
            self._held = self.analog.hold(self._codes[None], transposed=self._transposed)[0]
            if self.on_sample:
                self.on_sample(self.cycle, self._codes)
            return
        target = self._target
        self._held = np.zeros((config.converters, config.forward.groups))
        value = self.analog.hold_cells(target.slices, target.rows, target.lines(config))
        # Whichever group the converter of a unit column is told, it converts that column.
        self._held[target.converters(config)] = value

    def _compare(self) -> None:
        """Ask the comparators, unless they are asked the same as in the cycle before."""
        config = self.analog.config
        select = read_flag(self._select)
        text = read_text(self._trial)
        if self._asked != select:
            self._asked = select
            self._values = self._held[:, select]
            self._question = self._adcs, self._values, select
            self._put(self._beyond, self._adcs.beyond(self._values))
        elif text == self._asked_trial:
            return
        self._asked_trial = text
        trial = unpack(bits_of(text, self._trial), config.converters)
        above = self._adcs.above(self._values, trial)
        self._put(self._above, above)
        self._answer = above
        # Only the last trial of a search is odd, here that of ADC 0.
        if text[-1] == "1" or config.converter.adc_bits == 1:
            self._tell_conversion(select, trial.astype(np.int64) - ~above)

    def _find(self) -> None:
        """Begin the conversion that begins in this cycle, if one does."""
        if not read_flag(self._convert):
            return
        select = read_flag(self._select)
        values = self._held[:, select]
        codes = self._adcs.convert(values)
        self._put(self._beyond, self._adcs.beyond(values))
        self._put(self._found, pack(codes, self.analog.config.converter.adc_bits))
        self._tell_conversion(select, codes)

    def _put(self, signal: Any, bits: NDArray[np.bool_]) -> None:
        """Answer as late as is allowed: until then, the answer before stands."""
        if self._patience:
            self._to_answer = self._patience + 1
            self._answers.append((signal, bits))
        else:
            write_bits(signal, bits)

    def _write_answers(self) -> None:
        self._to_answer -= 1
        if not self._to_answer:
            for signal, bits in self._answers:
                write_bits(signal, bits)
            self._answers.clear()

    def _tell_conversion(self, select: int, codes: NDArray[np.int64]) -> None:
        if self.on_conversion and self._mode in PRODUCT_MODES:
            self.on_conversion(select, codes)

    def _set_steps(self, text: str) -> None:
        """Set the ADC steps, which seldom change."""
        if text != self._steps:
            self._steps = text
            bits = bits_of(text, self._step)
            steps = unpack(bits, self.analog.config.steps, signed=False)
            self._sampled_steps = steps.astype(np.int64)
            self._adcs = self.analog.adcs(self._sampled_steps)
