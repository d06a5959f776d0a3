"""The one configuration that model, RTL generator, testbenches and host read.

Everything that follows from the fields (digit ranges, widths, worst cases) is derived here and
nowhere else, so that a width in the Verilog and the same width in the model cannot differ.
"""

import dataclasses
import difflib
import enum
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spec.errors import UserError, require, require_integer, require_number
from spec.physics import IDEAL, Physics

PRESETS = Path(__file__).parent / "presets"

MAX_INTEGER_BITS = 63
"""Signed width that the model's integers hold; the RTL accepts no wider accumulator either."""


class Mapping(enum.StrEnum):
    """How a signed weight becomes conductances, which are positive."""

    DIFFERENTIAL = "differential"
    """Two cells a digit: positive digits on one, negative on the other; currents are subtracted."""
    OFFSET = "offset"
    """One cell a digit, holding weight plus a constant, which a unit column measures."""


@dataclass(frozen=True)
class Direction:
    """A way through an array: from word lines to columns or, transposed, the other way round.

    Attributes
    ----------
    inputs, outputs
        Length of the vectors and of the results.
    groups
        Outputs that share an ADC, converted one after the other: ADC a serves the adjacent outputs
        a * groups onwards, as far as there are any.
    covering_step
        Smallest ADC step, as log2 in units, with which no exact sum clips.
    plane_cycles
        Cycles from one sample to the next in steady state: conversion or settling, the longer.
    latency_cycles
        Cycles from accepting a vector to offering the last of its results, nothing else running.
    """

    inputs: int
    outputs: int
    groups: int
    covering_step: int
    plane_cycles: int
    latency_cycles: int


@dataclass(frozen=True)
class ChipConfig:
    """Describe a chip. Validated when made; see `load` for files and presets.

    Parameters
    ----------
    rows, columns
        Size of the matrix of weights that one tile holds: word lines, and outputs.
    cell_bits
        Bits per memory cell; a cell has 2**cell_bits levels, equally spaced in conductance.
    slices
        Cells that share one weight, each in an array of its own: digits of radix 2**cell_bits.
    mapping
        `differential` or `offset`, see `Mapping`.
    input_bits
        Width of the signed inputs.
    dac_bits
        Bits that are applied at once. `dac_bits` = `input_bits` needs one plane.
    adc_bits
        Width of the two's complement ADC code.
    adcs
        ADCs per array, shared evenly among its columns: ADC a serves the adjacent columns
        a * columns / adcs onwards. Transposed, they are shared among the rows, see `Direction`.
    accumulator_bits
        Width of the results; 0 takes what the worst case needs, a smaller one saturates and counts.
    clock_hz
        Clock of the digital periphery.
    settle_s
        Time in seconds that the array needs after a new drive until its currents may be sampled.
    g_min_s, g_max_s
        Conductance in siemens of the lowest and the highest level.
    v_read_v
        Voltage in volts of the largest DAC code.
    pulse_bits
        Width of the amplitude of write pulses.
    pulse_first, pulse_increment
        Amplitude of the first pulse in a direction, and by how much each further one is higher.
    pulse_limit
        Pulses after which a cell is given up.
    pulse_s
        Time in seconds that a write pulse takes.
    physics
        Non-idealities of the analogue part; none by default. No Verilog depends on them.
    tiles
        Tiles of the machine.
    lanes
        Words that the vector memory reads, and writes, a cycle; a power of two.
    vector_words
        Size of the vector memory in words of 32 bits; a power of two.
    program_words
        Size of the program memory in instructions.
    weight_words
        Size of the weight memory, from which tiles are programmed, in weights.
    matrices
        Matrices that the machine can know at a time.

    Raises
    ------
    UserError
        If a field is out of range or inconsistent with another.
    """

    rows: int
    columns: int
    cell_bits: int
    slices: int
    input_bits: int
    dac_bits: int
    adc_bits: int
    adcs: int
    mapping: Mapping = Mapping.DIFFERENTIAL
    accumulator_bits: int = 0
    clock_hz: float = 100e6
    settle_s: float = 60e-9
    g_min_s: float = 0.5e-6
    g_max_s: float = 35e-6
    v_read_v: float = 0.2
    pulse_bits: int = 5
    pulse_first: int = 4
    pulse_increment: int = 2
    pulse_limit: int = 30
    pulse_s: float = 50e-9
    physics: Physics = IDEAL
    # Machine
    tiles: int = 4
    lanes: int = 4
    vector_words: int = 4096
    program_words: int = 1024
    weight_words: int = 65536
    matrices: int = 16

    def __post_init__(self) -> None:
        require_integer("rows", self.rows, 1, 1024)
        require_integer("columns", self.columns, 1, 1024)
        require_integer("cell_bits", self.cell_bits, 1, 6)
        require_integer("slices", self.slices, 1, 32 // self.cell_bits)
        require_integer("input_bits", self.input_bits, 1, 32)
        require_integer("dac_bits", self.dac_bits, 1, self.input_bits, " (input_bits)")
        require_integer("adc_bits", self.adc_bits, 1, 32)
        require_integer("adcs", self.adcs, 1, self.columns, " (columns)")
        require_integer("accumulator_bits", self.accumulator_bits, 0, MAX_INTEGER_BITS)
        choices = ", ".join(Mapping)
        require(
            self.mapping in list(Mapping), f"mapping must be one of {choices}, not {self.mapping!r}"
        )
        object.__setattr__(self, "mapping", Mapping(self.mapping))
        require_number("clock_hz", self.clock_hz, 1.0, 1e11, "hertz")
        require_number("settle_s", self.settle_s, 0.0, 1.0, "seconds")
        require_integer("pulse_bits", self.pulse_bits, 1, 16)
        top = (1 << self.pulse_bits) - 1
        require_integer("pulse_first", self.pulse_first, 0, top, " (pulse_bits)")
        require_integer("pulse_increment", self.pulse_increment, 0, top, " (pulse_bits)")
        require_integer("pulse_limit", self.pulse_limit, 1, 255)
        require_number("pulse_s", self.pulse_s, 0.0, 1.0, "seconds")
        require_number("g_max_s", self.g_max_s, 1e-12, 1.0, "siemens")
        require_number("g_min_s", self.g_min_s, 0.0, self.g_max_s, "siemens (0 to g_max_s)")
        require(
            self.g_min_s < self.g_max_s,
            f"g_min_s must be below g_max_s ({self.g_max_s:g} S), not {self.g_min_s:g} S",
        )
        require_number("v_read_v", self.v_read_v, 1e-6, 100.0, "volts")
        # A whole number in a file is the same voltage as one with a point, and has the same hash.
        for name in ("clock_hz", "settle_s", "pulse_s", "g_min_s", "g_max_s", "v_read_v"):
            object.__setattr__(self, name, float(getattr(self, name)))
        require(
            isinstance(self.physics, Physics), f"physics must be a Physics, not {self.physics!r}"
        )
        for name in ("r_word_ohm", "r_bit_ohm", "r_driver_ohm", "r_sense_ohm"):
            ohms = getattr(self.physics, name)
            require(
                ohms * self.g_max_s <= 1,
                f"{name} of {ohms:g} ohm isolates the array: it must be at most "
                f"{1 / self.g_max_s:g} ohm, the resistance of a cell at g_max_s",
            )
        bend = self.physics.nonlinearity * self.v_read_v
        require(
            bend <= 20,
            f"nonlinearity of {self.physics.nonlinearity:g} per volt bends currents by a factor "
            f"of e^{bend:g} up to v_read_v: it must be at most {20 / self.v_read_v:g} per volt",
        )
        for name in ("settle_s", "pulse_s"):
            require(
                getattr(self, name) * self.clock_hz <= 1e6,
                f"{name} of {getattr(self, name):g} s is more than a million cycles of clock_hz "
                f"{self.clock_hz:g} Hz: lower one of them",
            )
        require(
            self.columns % self.adcs == 0,
            f"adcs must divide columns ({self.columns}) evenly, not {self.adcs}: take one of "
            f"{', '.join(str(n) for n in _divisors(self.columns))}",
        )
        require(
            self.worst_result_bits <= MAX_INTEGER_BITS,
            f"results need {self.worst_result_bits} bits, more than {MAX_INTEGER_BITS}: lower "
            f"{'rows' if self.rows == self.drive_lines else 'columns'}, cell_bits, slices or "
            "input_bits",
        )
        require(
            self.accumulator_bits == 0 or self.accumulator_bits >= self.adc_bits,
            f"accumulator_bits must be 0 or at least adc_bits ({self.adc_bits}), not "
            f"{self.accumulator_bits}: one code would not fit",
        )
        require_integer("tiles", self.tiles, 1, 64)
        require_integer("lanes", self.lanes, 1, 64)
        require_integer("vector_words", self.vector_words, self.lanes, 1 << 16, " (from lanes)")
        require_integer("program_words", self.program_words, 1, 1 << 16)
        require_integer("weight_words", self.weight_words, 1, 1 << 24)
        require_integer("matrices", self.matrices, 1, 64)
        for name in ("lanes", "vector_words"):
            size = getattr(self, name)
            require(size & (size - 1) == 0, f"{name} must be a power of two, not {size}")

    # Directions

    @property
    def transposable(self) -> bool:
        """Whether products can be transposed: a signed drive of a column needs both its lines."""
        return self.mapping is Mapping.DIFFERENTIAL

    def require_transposable(self) -> None:
        """Raise `UserError` unless products can be transposed."""
        require(
            self.transposable,
            f"a transposed product needs the differential mapping, not {str(self.mapping)!r}: set "
            "mapping to 'differential'",
        )

    @cached_property
    def forward(self) -> Direction:
        """From word lines to columns."""
        return self._direction(self.rows, self.columns)

    @cached_property
    def transposed(self) -> Direction:
        """From columns to word lines, if the configuration is `transposable`."""
        return self._direction(self.columns, self.rows)

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
        groups = -(-outputs // self.adcs)
        # A search of one bit has no cycle before its last in which the next sample could be
        # prepared, and pays one cycle a plane.
        conversion = groups * self.adc_bits
        plane = max(conversion + (self.adc_bits == 1), self.settle_cycles + 1)
        # One to take the vector over, `settle_cycles` and one to sample; a plane each but for the
        # last; then the conversions of that and three registers (code, slice sum, accumulator),
        # the last of which offers the results.
        latency = 1 + self.settle_cycles + (self.planes - 1) * plane + conversion + 3
        return Direction(inputs, outputs, groups, self._covering_step(inputs), plane, latency)

    # Weights

    @property
    def radix(self) -> int:
        """Radix of the weight digits."""
        return 1 << self.cell_bits

    @property
    def levels(self) -> int:
        """Levels of a cell."""
        return 1 << self.cell_bits

    @cached_property
    def weight_range(self) -> tuple[int, int]:
        """Smallest and largest weight."""
        if self.mapping is Mapping.OFFSET:
            half = 1 << (self.cell_bits * self.slices - 1)
            return -half, half - 1
        lower = self.radix // 2 * sum(self.radix**s for s in range(self.slices - 1))
        limit = (self.levels - 1) * self.radix ** (self.slices - 1) + lower
        return -limit, limit

    @property
    def unit_columns(self) -> int:
        """Unit columns of a tile, each with an ADC of its own: 1 in the offset mapping, else 0."""
        return int(self.mapping is Mapping.OFFSET)

    @property
    def bit_lines(self) -> int:
        """Bit lines of one array: two a column, or one a column and the unit and reference ones."""
        return self.columns + 2 if self.unit_columns else 2 * self.columns

    # Inputs

    @property
    def input_range(self) -> tuple[int, int]:
        """Smallest and largest input."""
        return -(1 << (self.input_bits - 1)), (1 << (self.input_bits - 1)) - 1

    @property
    def planes(self) -> int:
        """Digits of an input, applied one after the other."""
        return -(-self.input_bits // self.dac_bits)

    @property
    def code_bits(self) -> int:
        """Width of the signed DAC code: the digits below the top one are not negative."""
        return self.dac_bits + (self.planes > 1)

    @property
    def code_range(self) -> tuple[int, int]:
        """Smallest and largest DAC code that an input can need."""
        top_bits = self.input_bits - (self.planes - 1) * self.dac_bits
        low, high = -(1 << (top_bits - 1)), (1 << (top_bits - 1)) - 1
        return low, high if self.planes == 1 else (1 << self.dac_bits) - 1

    # Conversion

    @property
    def sum_range(self) -> tuple[int, int]:
        """Smallest and largest exact sum of one plane, in units, of any direction."""
        return self._sum_range(self.drive_lines)

    def _sum_range(self, inputs: int) -> tuple[int, int]:
        low, high = self.code_range
        most = inputs * (self.levels - 1)
        if self.mapping is Mapping.OFFSET:
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
            if _signed_bits((low + half) >> step, (high + half) >> step) <= self.adc_bits:
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
        return self.slices * self.adcs + self.unit_columns

    @property
    def steps(self) -> int:
        """Independent ADC steps of a product: one a slice, and one for the unit column."""
        return self.slices + self.unit_columns

    # Results

    @cached_property
    def worst_result_bits(self) -> int:
        """Width that holds any result of any physics: every code at its end, every step largest."""
        code = 1 << (self.adc_bits - 1 + self.step_range[1])
        lanes = sum(self.radix**s for s in range(self.slices))
        if self.unit_columns:
            lanes += -self.weight_range[0]
        planes = sum(1 << (p * self.dac_bits) for p in range(self.planes))
        return (code * lanes * planes).bit_length() + 1

    @property
    def result_bits(self) -> int:
        """Signed width of the results."""
        return self.accumulator_bits or self.worst_result_bits

    @property
    def lossless(self) -> bool:
        """Whether every exact sum of any direction has a code of its own and every result fits."""
        covered = all(direction.covering_step == 0 for direction in self.directions)
        return covered and self.result_bits >= self.worst_result_bits

    @property
    def partial_bits(self) -> int:
        """Width of the sum over the blocks of any matrix whose vectors fit the vector memory."""
        shortest = min(direction.inputs for direction in self.directions)
        return self.result_bits + (-(-self.vector_words // shortest) - 1).bit_length()

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
        most = (1 << (self.adc_bits - 1)) - 1
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
        low, high = -(1 << (self.adc_bits - 1)), (1 << (self.adc_bits - 1)) - 1
        targets = (self._verify_target(level, self.verify_step) for level in range(self.levels))
        return tuple(min(max(target, low), high) for target in targets)

    @property
    def verifiable(self) -> bool:
        """Whether every level has a code of its own, within the range, when a cell is read."""
        step = self.verify_step
        exact = tuple(self._verify_target(level, step) for level in range(self.levels))
        return len(set(exact)) == self.levels and exact == self.verify_targets

    def _verify_target(self, level: int, step: int) -> int:
        units = (self.g_min_s / self.g_step_s + level) * self.verify_code
        return math.floor((units + ((1 << step) >> 1) + 0.5) / (1 << step))

    def _verify_tolerance(self, step: int) -> int:
        return abs(self.verify_code) // 4 >> step

    # Time and physics

    @property
    def settle_cycles(self) -> int:
        """Clock cycles that the array is driven before it is sampled, at least 2.

        The first is that of the strobe, in which `settled` is not looked at yet.
        """
        return max(2, math.ceil(self.settle_s * self.clock_hz - 1e-9))

    @property
    def pulse_cycles(self) -> int:
        """Clock cycles that a write pulse takes, its strobe included, at least 2."""
        return max(2, math.ceil(self.pulse_s * self.clock_hz - 1e-9))

    @property
    def g_step_s(self) -> float:
        """Conductance of one level, in siemens."""
        return (self.g_max_s - self.g_min_s) / (self.levels - 1)

    @property
    def v_step_v(self) -> float:
        """Voltage of one DAC code, in volts."""
        low, high = self.code_range
        return self.v_read_v / max(-low, high)

    @property
    def unit_a(self) -> float:
        """Current of one unit of weight times one unit of input, in amperes."""
        return self.g_step_s * self.v_step_v

    # Identity

    @cached_property
    def hash(self) -> str:
        """Return 16 hexadecimal digits that differ whenever a field but `physics` differs."""
        fields = dataclasses.asdict(self)
        del fields["physics"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def load(source: str | Path, **changes: Any) -> ChipConfig:
    """Read a configuration from a preset's name or the path of a TOML file.

    Keyword arguments replace fields of the file. The physics is a table of it, `[physics]`.

    Raises
    ------
    UserError
        If the file cannot be read, a key is unknown or missing, or a value is refused.
    """
    path = Path(source)
    if not path.suffix:
        path = PRESETS / f"{source}.toml"
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        require(
            path.is_file(),
            f"configuration {str(source)!r} is neither a preset ({known}) nor "
            "the path of a .toml file",
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"configuration {path} cannot be read: {error}") from None
    fields = {field.name: field for field in dataclasses.fields(ChipConfig)}
    _check_keys([*values, *changes], list(fields), f"configuration {path}")
    if "physics" in values:
        table = values["physics"]
        require(isinstance(table, dict), f"physics in configuration {path} must be a table")
        parameters = [parameter.name for parameter in dataclasses.fields(Physics)]
        _check_keys(list(table), parameters, f"[physics] of configuration {path}")
    values |= changes
    for name, field in fields.items():
        require(
            name in values or field.default is not dataclasses.MISSING,
            f"configuration {path} lacks {name!r}: add it",
        )
    try:
        if isinstance(values.get("physics"), dict):
            values["physics"] = Physics(**values["physics"])
        return ChipConfig(**values)
    except UserError as error:
        raise UserError(f"configuration {path}: {error}") from None


def _check_keys(keys: list[str], known: list[str], where: str) -> None:
    """Raise `UserError` for a key that is not known, naming the nearest that is."""
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise UserError(f"unknown key {key!r} in {where}: {hint}")


def _signed_bits(low: int, high: int) -> int:
    """Return the smallest two's complement width that holds both."""
    return max((~low if low < 0 else low).bit_length(), high.bit_length()) + 1


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]
