"""Tables of the configuration: array, converters, programming, machine."""

import enum
from dataclasses import dataclass

from spec.counters import CHIP_COUNTERS, LOOP_COUNTERS, TILE_COUNTERS, Counter
from spec.errors import digits, require, shown
from spec.table import Table

MAX_INTEGER_BITS = 63
"""Signed width that the model's integers hold; the RTL accepts no wider accumulator either."""


MAX_CONVERTER_BITS = 32
"""Widest inputs and ADC codes."""

MAX_LANES = 64
"""Most words that a vector memory moves a cycle."""

MAX_SYNC = 8
"""Most flip-flops of a synchroniser."""


class Mapping(enum.StrEnum):
    """Ways in which a signed weight becomes conductances, which are positive."""

    DIFFERENTIAL = "differential"
    """Two cells a digit: positive digits on one, negative on the other; currents are subtracted."""
    OFFSET = "offset"
    """One cell a digit, holding weight plus a constant, which a unit column measures."""


@dataclass(frozen=True)
class ArrayConfig(Table):
    """Describe the arrays of a tile. Validated when made.

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
    settle_s
        Time in seconds that the array needs after a new drive until its currents may be sampled.
    settled_sync
        Flip-flops of the synchroniser through which `settled` enters, each of which costs a cycle a
        drive and a pulse: 2 or more; 0 if the signal is synchronous to the clock.
    g_min_s, g_max_s
        Conductance in siemens of the lowest and the highest level.

    Raises
    ------
    UserError
        If a field is out of its range.
    """

    rows: int
    columns: int
    cell_bits: int
    slices: int
    mapping: Mapping = Mapping.DIFFERENTIAL
    g_min_s: float = 0.5e-6
    g_max_s: float = 35e-6
    settle_s: float = 60e-9
    settled_sync: int = 0

    def __post_init__(self) -> None:
        self._integer("rows", 1, 1024)
        self._integer("columns", 1, 1024)
        self._integer("cell_bits", 1, 6)
        self._integer("slices", 1, 32 // self.cell_bits)
        choices = ", ".join(Mapping)
        known = isinstance(self.mapping, str) and self.mapping in list(Mapping)
        require(known, f"mapping must be one of {choices}, not {shown(self.mapping)}")
        object.__setattr__(self, "mapping", Mapping(self.mapping))
        self._number("g_max_s", 1e-12, 1.0, "siemens")
        self._number("g_min_s", 0.0, self.g_max_s, "siemens (0 to g_max_s)")
        require(
            self.g_min_s < self.g_max_s,
            f"g_min_s must be below g_max_s ({digits(self.g_max_s)} S), not "
            f"{digits(self.g_min_s)} S",
        )
        self._number("settle_s", 0.0, 1.0, "seconds")
        _check_synchronizer(self, "settled_sync")


@dataclass(frozen=True)
class ConverterConfig(Table):
    """Describe the DACs and ADCs of a tile, and the words around them. Validated when made.

    Parameters
    ----------
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
    v_read_v
        Voltage in volts of the largest DAC code.
    comparison_cycles
        Clock cycles that a comparator has for its answer.
    comparator_sync
        Flip-flops of the synchronisers through which answers of comparators enter, each of which
        costs a cycle a comparison: 2 or more; 0 if the answers are synchronous to the clock.
    conversion_s
        Time in seconds of a conversion by an ADC that searches by itself and gives its code; 0 if
        the periphery searches, which takes a comparison a bit.

    Raises
    ------
    UserError
        If a field is out of its range.
    """

    input_bits: int
    dac_bits: int
    adc_bits: int
    adcs: int
    accumulator_bits: int = 0
    v_read_v: float = 0.2
    comparison_cycles: int = 1
    comparator_sync: int = 0
    conversion_s: float = 0.0

    def __post_init__(self) -> None:
        self._integer("input_bits", 1, MAX_CONVERTER_BITS)
        self._integer("dac_bits", 1, self.input_bits, " (input_bits)")
        self._integer("adc_bits", 1, MAX_CONVERTER_BITS)
        self._integer("accumulator_bits", 0, MAX_INTEGER_BITS)
        require(
            self.accumulator_bits == 0 or self.accumulator_bits >= self.adc_bits,
            f"accumulator_bits must be 0 or at least adc_bits ({self.adc_bits}), not "
            f"{self.accumulator_bits}: one code would not fit",
        )
        self._number("v_read_v", 1e-6, 100.0, "volts")
        self._integer("comparison_cycles", 1, 64)
        _check_synchronizer(self, "comparator_sync")
        self._number("conversion_s", 0.0, 1.0, "seconds")
        for name, default in (("comparison_cycles", 1), ("comparator_sync", 0)):
            value = getattr(self, name)
            require(
                self.conversion_s == 0 or value == default,
                f"{name} must be {default} where conversion_s is not 0, not {value}: an ADC that "
                "searches by itself has no comparisons",
            )

    @property
    def searching(self) -> bool:
        """Tell whether the periphery searches for codes; else the ADCs do so by themselves."""
        return self.conversion_s == 0

    @property
    def decisions(self) -> int:
        """Answers that the periphery waits for in a conversion: bits, or a whole code."""
        return self.adc_bits if self.searching else 1


@dataclass(frozen=True)
class ProgrammingConfig(Table):
    """Describe write-verify. Validated when made.

    Parameters
    ----------
    pulse_bits
        Width of the amplitude of write pulses.
    pulse_first, pulse_increment
        Amplitude of the first pulse in a direction, and by how much each further one is higher.
    pulse_limit
        Pulses after which a cell is given up.
    pulse_s
        Time in seconds that a write pulse takes.

    Raises
    ------
    UserError
        If a field is out of its range.
    """

    pulse_bits: int = 5
    pulse_first: int = 4
    pulse_increment: int = 2
    pulse_limit: int = 30
    pulse_s: float = 50e-9

    def __post_init__(self) -> None:
        self._integer("pulse_bits", 1, 16)
        top = (1 << self.pulse_bits) - 1
        self._integer("pulse_first", 0, top, " (pulse_bits)")
        self._integer("pulse_increment", 0, top, " (pulse_bits)")
        self._integer("pulse_limit", 1, 255)
        self._number("pulse_s", 0.0, 1.0, "seconds")


@dataclass(frozen=True)
class MachineConfig(Table):
    """Describe the machine around the tiles. Validated when made.

    Parameters
    ----------
    clock_hz
        Clock of the digital periphery.
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
    invertible
        Whether the tiles can be closed to loops, as `spec.inversion` describes them, and INV solves
        equations.

    Raises
    ------
    UserError
        If a field is out of its range.
    """

    clock_hz: float = 100e6
    tiles: int = 4
    lanes: int = 4
    vector_words: int = 4096
    program_words: int = 1024
    weight_words: int = 65536
    matrices: int = 16
    invertible: bool = False

    def __post_init__(self) -> None:
        self._number("clock_hz", 1.0, 1e11, "hertz")
        self._integer("tiles", 1, 64)
        self._integer("lanes", 1, MAX_LANES)
        self._integer("vector_words", self.lanes, 1 << 16, " (from lanes)")
        self._integer("program_words", 1, 1 << 16)
        self._integer("weight_words", 1, 1 << 24)
        self._integer("matrices", 1, 64)
        self._flag("invertible")
        for name in ("lanes", "vector_words"):
            size = getattr(self, name)
            require(size & (size - 1) == 0, f"{name} must be a power of two, not {size}")

    @property
    def tile_counters(self) -> tuple[Counter, ...]:
        """Performance counters of a tile."""
        return TILE_COUNTERS + (LOOP_COUNTERS if self.invertible else ())

    @property
    def counters(self) -> int:
        """Performance counters: those of the chip, and those of each tile."""
        return len(CHIP_COUNTERS) + self.tiles * len(self.tile_counters)


def _check_synchronizer(table: Table, name: str) -> None:
    """Check a number of flip-flops of a synchroniser."""
    table._integer(name, 0, MAX_SYNC)
    require(
        getattr(table, name) != 1,
        f"{name} must be 0 or 2 to {MAX_SYNC}, not 1: one flip-flop does not synchronise",
    )
