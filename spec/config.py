"""The one configuration that model, RTL generator, testbenches and host read.

What follows from the fields, such as widths and worst cases, is derived here and nowhere else, so
that a width in the Verilog and the same width in the model cannot differ.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from spec.advice import CurableError, halves, lower
from spec.consistency import require_consistent
from spec.direction import Direction
from spec.errors import require
from spec.hardware import hardware_values
from spec.inversion import InversionConfig
from spec.physics import IDEAL, Physics
from spec.table import Table, digest
from spec.tables import (
    MAX_CONVERTER_BITS,
    ArrayConfig,
    ConverterConfig,
    MachineConfig,
    Mapping,
    ProgrammingConfig,
)


@dataclass(frozen=True)
class ChipConfig(Table):
    """Describe a chip. Validated when made; see `spec.load` for files and presets.

    Parameters
    ----------
    array, converter, inversion, programming, machine
        See `spec.tables` and `spec.inversion`.
    physics
        Non-idealities; none by default. No Verilog depends on them.

    Raises
    ------
    UserError
        If a field is out of range or inconsistent with another.
    """

    TABLES: ClassVar[dict[str, type[Table]]] = {
        "array": ArrayConfig,
        "converter": ConverterConfig,
        "inversion": InversionConfig,
        "programming": ProgrammingConfig,
        "machine": MachineConfig,
        "physics": Physics,
    }

    array: ArrayConfig
    converter: ConverterConfig
    inversion: InversionConfig = field(default_factory=InversionConfig)
    programming: ProgrammingConfig = field(default_factory=ProgrammingConfig)
    machine: MachineConfig = field(default_factory=MachineConfig)
    physics: Physics = IDEAL

    def __post_init__(self) -> None:
        self._tables()
        require_consistent(self)

    # Directions

    @property
    def transposable(self) -> bool:
        """Whether products can be transposed: a signed drive of a column needs both its lines."""
        return self.array.mapping is Mapping.DIFFERENTIAL

    def require_transposable(self) -> None:
        """Raise `UserError` unless products can be transposed."""
        require(
            self.transposable,
            f"a transposed product needs the differential mapping, not "
            f"{str(self.array.mapping)!r}: set mapping to 'differential'",
        )

    @cached_property
    def forward(self) -> Direction:
        """From word lines to columns."""
        return self._direction(self.array.rows, self.array.columns)

    @cached_property
    def transposed(self) -> Direction:
        """From columns to word lines, if the configuration is `transposable`."""
        return self._direction(self.array.columns, self.array.rows)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """All that there are."""
        return (self.forward, self.transposed) if self.transposable else (self.forward,)

    def direction(self, transposed: bool) -> Direction:
        """Return one of the two."""
        return self.transposed if transposed else self.forward

    @property
    def drive_lines(self) -> int:
        """DACs of a tile: the inputs of either direction, between which they are switched.

        DAC i drives word line i or, transposed, the positive line of column i, and the negative
        one with the opposite voltage.
        """
        return max(direction.inputs for direction in self.directions)

    def _direction(self, inputs: int, outputs: int) -> Direction:
        groups = -(-outputs // self.converter.adcs)
        # A conversion of one cycle has none before its last in which the next sample could be
        # prepared, and pays one cycle a plane.
        conversion = groups * self.conversion_cycles
        drive = self.settle_cycles + self.array.settled_sync
        plane = max(conversion + (self.conversion_cycles == 1), drive + 1)
        # One to take the vector over, `drive` and one to sample; a plane each but for the last;
        # then the conversions of that and two registers (code, accumulator), the last of which
        # offers the results.
        latency = 1 + drive + (self.planes - 1) * plane + conversion + 2
        return Direction(inputs, outputs, groups, self._covering_step(inputs), plane, latency)

    # Weights

    @property
    def radix(self) -> int:
        """Radix of the weight digits."""
        return 1 << self.array.cell_bits

    @property
    def levels(self) -> int:
        """Levels of a cell."""
        return 1 << self.array.cell_bits

    @cached_property
    def weight_range(self) -> tuple[int, int]:
        """Smallest and largest weight."""
        if self.array.mapping is Mapping.OFFSET:
            half = 1 << (self.array.cell_bits * self.array.slices - 1)
            return -half, half - 1
        lower = self.radix // 2 * sum(self.radix**s for s in range(self.array.slices - 1))
        limit = (self.levels - 1) * self.radix ** (self.array.slices - 1) + lower
        return -limit, limit

    @property
    def weight_bits(self) -> int:
        """Signed width of a weight."""
        return _signed_bits(*self.weight_range)

    @property
    def unit_columns(self) -> int:
        """Unit columns of a tile, each with an ADC of its own: 1 in the offset mapping, else 0."""
        return int(self.array.mapping is Mapping.OFFSET)

    @property
    def bit_lines(self) -> int:
        """Bit lines of one array: two a column, or one a column and the unit and reference ones."""
        return self.array.columns + 2 if self.unit_columns else 2 * self.array.columns

    # Inputs

    @property
    def input_range(self) -> tuple[int, int]:
        """Smallest and largest input."""
        return -(1 << (self.converter.input_bits - 1)), (1 << (self.converter.input_bits - 1)) - 1

    @property
    def planes(self) -> int:
        """Digits of an input, applied one after the other."""
        return -(-self.converter.input_bits // self.converter.dac_bits)

    @property
    def code_bits(self) -> int:
        """Width of the signed DAC code: the digits below the top one are not negative."""
        return self.converter.dac_bits + (self.planes > 1)

    @property
    def code_range(self) -> tuple[int, int]:
        """Smallest and largest DAC code that an input can need."""
        top_bits = self.converter.input_bits - (self.planes - 1) * self.converter.dac_bits
        low, high = -(1 << (top_bits - 1)), (1 << (top_bits - 1)) - 1
        return low, high if self.planes == 1 else (1 << self.converter.dac_bits) - 1

    # Conversion

    @property
    def sum_range(self) -> tuple[int, int]:
        """Smallest and largest exact sum of one plane, in units, of any direction."""
        return self._sum_range(self.drive_lines)

    def _sum_range(self, inputs: int) -> tuple[int, int]:
        low, high = self.code_range
        most = inputs * (self.levels - 1)
        if self.array.mapping is Mapping.OFFSET:
            return most * low, most * high
        return -most * max(-low, high), most * max(-low, high)

    @property
    def sum_bits(self) -> int:
        """Signed width of these sums: the full width of an ADC."""
        return _signed_bits(*self.sum_range)

    def _covering_step(self, inputs: int) -> int:
        low, high = self._sum_range(inputs)
        step = 0
        while True:
            half = (1 << step) >> 1
            if _signed_bits((low + half) >> step, (high + half) >> step) <= self.converter.adc_bits:
                return step
            step += 1

    @property
    def step_bits(self) -> int:
        """Width of the field that selects the ADC step."""
        return max(1, *(d.covering_step.bit_length() for d in self.directions))

    @property
    def step_range(self) -> tuple[int, int]:
        """Smallest and largest ADC step, as log2 in units: all that `step_bits` can say."""
        return 0, (1 << self.step_bits) - 1

    @property
    def select_bits(self) -> int:
        """Width of the index of a group."""
        return max(1, *((d.groups - 1).bit_length() for d in self.directions))

    @property
    def converters(self) -> int:
        """ADCs of a tile, those of unit columns last."""
        return self.array.slices * self.converter.adcs + self.unit_columns

    @property
    def steps(self) -> int:
        """Independent ADC steps of a product: one a slice, and one for the unit column."""
        return self.array.slices + self.unit_columns

    # Results

    @cached_property
    def worst_result_bits(self) -> int:
        """Width that holds any result of any physics: every code at its end, every step largest."""
        code = 1 << (self.converter.adc_bits - 1 + self.step_range[1])
        lanes = sum(self.radix**s for s in range(self.array.slices))
        if self.unit_columns:
            lanes += -self.weight_range[0]
        planes = sum(1 << (p * self.converter.dac_bits) for p in range(self.planes))
        return (code * lanes * planes).bit_length() + 1

    @property
    def result_bits(self) -> int:
        """Signed width of the results."""
        return self.converter.accumulator_bits or self.worst_result_bits

    @property
    def lossless(self) -> bool:
        """Whether every product of any direction is exact on an ideal array, at the default steps.

        Every exact sum then has a code of its own, and every exact result fits. Sums over the first
        planes are products with inputs shifted right, which lie in the same range.
        """
        covered = all(direction.covering_step == 0 for direction in self.directions)
        corners = [weight * value for weight in self.weight_range for value in self.input_range]
        exact = [self.drive_lines * corner for corner in corners]
        return covered and _signed_bits(min(exact), max(exact)) <= self.result_bits

    @property
    def partial_bits(self) -> int:
        """Width of the sum over the blocks of any matrix whose vectors fit the vector memory."""
        shortest = min(direction.inputs for direction in self.directions)
        return self.result_bits + (-(-self.machine.vector_words // shortest) - 1).bit_length()

    # Programming

    @property
    def verify_code(self) -> int:
        """DAC code with which single cells are read: that of the read voltage, of either sign."""
        low, high = self.code_range
        return low if -low > high else high

    @property
    def verify_step(self) -> int:
        """ADC step, as log2 in units, with which single cells are read.

        The smallest with which codes beyond every level's tolerance exist.
        """
        most = (1 << (self.converter.adc_bits - 1)) - 1
        for step in range(self.step_range[1] + 1):
            top = abs(self._verify_target(self.levels - 1, step))
            if top + self._verify_tolerance(step) + 1 <= most:
                break
        return step

    @property
    def verify_tolerance(self) -> int:
        """Codes by which a cell may differ from its target: a quarter of a level, rounded down."""
        return self._verify_tolerance(self.verify_step)

    @cached_property
    def verify_targets(self) -> tuple[int, ...]:
        """ADC code that a cell exactly at each level reads."""
        low, high = -(1 << (self.converter.adc_bits - 1)), (1 << (self.converter.adc_bits - 1)) - 1
        targets = (self._verify_target(level, self.verify_step) for level in range(self.levels))
        return tuple(min(max(target, low), high) for target in targets)

    @property
    def verifiable(self) -> bool:
        """Whether every level has a code of its own, within the range, when a cell is read."""
        exact = tuple(self._verify_target(level, self.verify_step) for level in range(self.levels))
        return len(set(exact)) == self.levels and exact == self.verify_targets

    def require_verifiable(self) -> None:
        """Raise `UserError` unless every level of a cell can be told from the others."""
        if self.verifiable:
            return
        converter = self.converter
        # Its only effect here is that adc_bits may be raised.
        accumulator = converter.accumulator_bits or MAX_CONVERTER_BITS
        raise CurableError(
            f"an ADC of adc_bits={converter.adc_bits} cannot tell the {self.levels} levels of a "
            f"cell when it reads one with dac_bits={converter.dac_bits}",
            self,
            lambda config: config.verifiable,
            {
                "adc_bits": range(converter.adc_bits + 1, MAX_CONVERTER_BITS + 1),
                "dac_bits": range(converter.dac_bits + 1, converter.input_bits + 1),
                "cell_bits": lower(self.array.cell_bits, 1),
                "g_min_s": halves(self.array.g_min_s),
                "accumulator_bits": range(accumulator + 1, MAX_CONVERTER_BITS + 1),
            },
        )

    def _verify_target(self, level: int, step: int) -> int:
        units = (self.array.g_min_s / self.g_step_s + level) * self.verify_code
        return math.floor((units + ((1 << step) >> 1) + 0.5) / (1 << step))

    def _verify_tolerance(self, step: int) -> int:
        return abs(self.verify_code) // 4 >> step

    # Time and physics

    @property
    def settle_cycles(self) -> int:
        """Clock cycles that the array is driven before it is sampled, at least 2.

        The first is that of the strobe, in which `settled` is not looked at yet. A synchroniser of
        `settled` adds its cycles.
        """
        return max(2, math.ceil(self.array.settle_s * self.machine.clock_hz - 1e-9))

    @property
    def pulse_cycles(self) -> int:
        """Clock cycles of a write pulse, its strobe included, at least 2; a synchroniser adds."""
        return max(2, math.ceil(self.programming.pulse_s * self.machine.clock_hz - 1e-9))

    @property
    def decision_cycles(self) -> int:
        """Clock cycles from a question to the ADCs to the use of their answer, at least 1."""
        if self.converter.searching:
            return self.converter.comparison_cycles + self.converter.comparator_sync
        seconds = self.converter.conversion_s
        return max(1, math.ceil(seconds * self.machine.clock_hz - 1e-9))

    @property
    def conversion_cycles(self) -> int:
        """Clock cycles of a conversion."""
        return self.converter.decisions * self.decision_cycles

    @property
    def g_step_s(self) -> float:
        """Conductance of one level, in siemens."""
        return (self.array.g_max_s - self.array.g_min_s) / (self.levels - 1)

    @property
    def v_step_v(self) -> float:
        """Voltage of one DAC code, in volts."""
        low, high = self.code_range
        return self.converter.v_read_v / max(-low, high)

    @property
    def unit_a(self) -> float:
        """Current of one unit of weight times one unit of input, in amperes."""
        return self.g_step_s * self.v_step_v

    # Identity

    @cached_property
    def hardware(self) -> str:
        """Hash, in Verilog and identity, that differs exactly if the chip's Verilog does."""
        return digest(hardware_values(self))

    @cached_property
    def whole(self) -> str:
        """Hash, in results, that differs whenever a field does."""
        return digest(dataclasses.asdict(self))


def _signed_bits(low: int, high: int) -> int:
    """Return the smallest two's complement width that holds both."""
    return max((~low if low < 0 else low).bit_length(), high.bit_length()) + 1
