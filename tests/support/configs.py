"""Configurations to test with, and an integer model that shares no code with the one under test."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from spec.config import ChipConfig
from spec.load import load
from spec.physics import Physics

SMALL = {
    "rows": 3,
    "columns": 4,
    "cell_bits": 2,
    "slices": 2,
    "input_bits": 4,
    "dac_bits": 2,
    "adc_bits": 7,
    "adcs": 2,
}


def chip(**fields: Any) -> ChipConfig:
    """Return a small configuration with some fields replaced."""
    return ChipConfig.of(**(SMALL | fields))


THREE_BITS = chip(cell_bits=3, input_bits=6, dac_bits=3, adc_bits=8)
"""Cells of three bits, and inputs of two planes."""

VERIFIABLE = chip(cell_bits=3, dac_bits=4, adc_bits=8)
"""Cells of three bits whose levels a read tells apart."""

SINGLE = chip(rows=1, columns=1, adcs=1, slices=1)
"""One weight."""

MACHINE = load(
    "digits",
    rows=3,
    columns=2,
    adcs=1,
    tiles=3,
    lanes=2,
    vector_words=128,
    program_words=64,
    weight_words=256,
    matrices=2,
)
"""Three small tiles and a machine with small memories."""


TWO_TILES = VERIFIABLE.replace(slices=1, adc_bits=9, tiles=2, program_words=64, weight_words=64)
"""Lossless: two tiles of one slice."""


TWO_BY_TWO = load("digits", rows=2, columns=2, adcs=1, tiles=1, weight_words=16)
"""One tile that is quick to simulate."""


PULSE_SPREADS = {"pulse_device_spread": 0.3, "pulse_cycle_spread": 0.3}
"""A third from cell to cell, and from pulse to pulse."""

EVERY_FAULT = Physics.of(
    seed=4,
    r_word_ohm=5.0,
    r_bit_ohm=5.0,
    r_driver_ohm=20.0,
    r_sense_ohm=20.0,
    program_error=0.1,
    read_noise=0.02,
    drift=0.01,
    stuck_any=0.01,
    dac_offset=0.1,
    dac_gain=0.01,
    dac_inl=0.1,
    dac_dnl=0.1,
    dac_noise=0.1,
    adc_offset=1.0,
    adc_gain=0.02,
    adc_inl=1.5,
    adc_dnl=3.0,
    sense_noise=2.0,
)
"""Faults of cells, wires, DACs, ADCs and sensing, of usual sizes."""


def toml(fields: Mapping[str, Any]) -> str:
    """Return a configuration file with fields, each in its table; those unknown go to [array]."""
    paths = dict(ChipConfig.field_paths())
    tables: dict[str, list[str]] = {}
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else repr(value)
        tables.setdefault(paths.get(name, "array"), []).append(f"{name} = {text}\n")
    return "".join(f"[{table}]\n{''.join(lines)}" for table, lines in tables.items())


def full_width(**fields: Any) -> ChipConfig:
    """Return a small configuration whose ADCs have the full width, so that nothing is lost."""
    narrow = chip(**{**fields, "adc_bits": 1})
    return chip(**{**fields, "adc_bits": narrow.sum_bits})


ADC_TIMES: list[dict[str, Any]] = [
    {},
    {"comparison_cycles": 3},
    {"comparator_sync": 2},
    {"comparison_cycles": 2, "comparator_sync": 3},
    {"conversion_s": 1e-9},
    {"conversion_s": 41e-9},
]
"""Ways to convert, and how long it takes."""


@st.composite
def chips(draw: st.DrawFn, most: int = 5, lossless: bool = False) -> ChipConfig:
    """Draw a small configuration of any shape, mapping, digit widths, ADC width and sharing."""
    columns = draw(st.integers(1, most))
    input_bits = draw(st.integers(1, 6))
    fields: dict[str, Any] = {
        "rows": draw(st.integers(1, most)),
        "columns": columns,
        "cell_bits": draw(st.integers(1, 3)),
        "slices": draw(st.integers(1, 3)),
        "mapping": draw(st.sampled_from(["differential", "offset"])),
        "input_bits": input_bits,
        "dac_bits": draw(st.integers(1, input_bits)),
        "adcs": draw(st.sampled_from([n for n in range(1, columns + 1) if columns % n == 0])),
        "settle_s": draw(st.integers(0, 14)) * 10e-9,
        "settled_sync": draw(st.sampled_from([0, 0, 2, 3])),
    }
    fields |= draw(st.sampled_from(ADC_TIMES))
    full = full_width(**fields).converter.adc_bits
    if lossless:
        return chip(**fields, adc_bits=full)
    fields["adc_bits"] = draw(st.integers(1, full))
    worst = chip(**fields).worst_result_bits
    fields["accumulator_bits"] = draw(st.just(0) | st.integers(fields["adc_bits"], worst))
    return chip(**fields)


def random_operands(
    config: ChipConfig, count: int, seed: int = 0, *, transposed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights [rows, columns] and inputs [count, rows], each with both of its extremes.

    `transposed` inputs are [count, columns].
    """
    rng = np.random.default_rng(seed)
    low, high = config.weight_range
    weights = rng.integers(low, high, (config.array.rows, config.array.columns), endpoint=True)
    weights.flat[0], weights.flat[-1] = low, high
    low, high = config.input_range
    inputs = config.direction(transposed).inputs
    vectors = rng.integers(low, high, (count, inputs), endpoint=True)
    vectors.flat[0], vectors.flat[-1] = low, high
    return weights, vectors


def extreme_operands(config: ChipConfig) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield names, weights [rows, columns] and inputs [n, rows]: all at an end, and one-hot ones.

    A one-hot matrix stands in each corner: first and last row and column.
    """
    vectors = np.concatenate([extreme_vectors(config), random_operands(config, 2)[1]])
    shape = config.array.rows, config.array.columns
    for name, value in zip(("minimum", "maximum"), config.weight_range, strict=True):
        yield f"all {name}", np.full(shape, value), vectors
        for row in (0, config.array.rows - 1):
            for column in (0, config.array.columns - 1):
                weights = np.zeros(shape, np.int64)
                weights[row, column] = value
                yield f"{name} at {row}, {column}", weights, vectors


def extreme_vectors(config: ChipConfig) -> np.ndarray:
    """Return inputs: all at either end, and either end in the first or last row alone."""
    low, high = config.input_range
    hot = np.zeros((4, config.array.rows), np.int64)
    hot[0, 0], hot[1, -1], hot[2, 0], hot[3, -1] = low, low, high, high
    return np.concatenate(
        [np.full((1, config.array.rows), low), np.full((1, config.array.rows), high), hot]
    )


@dataclass
class Expected:
    """Hold what plain integers make of products, named as in `golden.tile.tile.Products`."""

    results: list[list[int]]
    clips_high: int = 0
    clips_low: int = 0
    saturations: int = 0


def integer_tile(
    config: ChipConfig, weights: np.ndarray, vectors: np.ndarray, steps: list[int]
) -> Expected:
    """Multiply inputs [n, rows] by weights [rows, columns] with Python's integers alone.

    A transposed product is one with the transposed weights.
    """
    expected = Expected([])
    stored = [[weight_digits(config, int(w)) for w in row] for row in weights]
    for vector in vectors:
        planes = list(zip(*(input_digits(config, int(x)) for x in vector), strict=True))
        line = []
        for column in range(weights.shape[1]):
            total = 0
            for plane in planes:
                total <<= config.converter.dac_bits
                for s in range(config.array.slices):
                    units = sum(x * stored[r][column][s] for r, x in enumerate(plane))
                    code = convert(config, units, steps[s], expected)
                    total += code * 2 ** (steps[s] + s * config.array.cell_bits)
                if config.array.mapping == "offset":
                    # Whether it clips is counted below: it is converted once for each group.
                    code = convert(config, sum(plane), steps[-1], Expected([]))
                    total -= code * 2 ** (
                        steps[-1] + config.array.cell_bits * config.array.slices - 1
                    )
                if config.converter.accumulator_bits:
                    end = 2 ** (config.converter.accumulator_bits - 1)
                    expected.saturations += not -end <= total < end
                    total = min(max(total, -end), end - 1)
            line.append(total)
        if config.array.mapping == "offset":
            for plane in planes:
                for _ in range(config.array.columns // config.converter.adcs):
                    convert(config, sum(plane), steps[-1], expected)
        expected.results.append(line)
    return expected


def convert(config: ChipConfig, units: int, step: int, tally: Expected) -> int:
    """Round halves up, then clamp and count."""
    code = math.floor(Fraction(units, 2**step) + (Fraction(1, 2) if step else 0))
    end = 2 ** (config.converter.adc_bits - 1)
    tally.clips_high += code >= end
    tally.clips_low += code < -end
    return min(max(code, -end), end - 1)


def weight_digits(config: ChipConfig, weight: int) -> list[int]:
    """Return what the cells of a weight hold, least significant slice first."""
    radix = 2**config.array.cell_bits
    if config.array.mapping == "offset":
        raised = weight + radix**config.array.slices // 2
        return [raised // radix**s % radix for s in range(config.array.slices)]
    digits: list[int] = []
    for s in reversed(range(config.array.slices)):
        most = radix // 2 if digits else radix - 1
        # Nearest, a half towards zero.
        size = min(most, math.ceil(Fraction(abs(weight), radix**s) - Fraction(1, 2)))
        digits.insert(0, size if weight > 0 else -size)
        weight -= digits[0] * radix**s
    return digits


def input_digits(config: ChipConfig, value: int) -> list[int]:
    """Return the DAC codes of an input, most significant first."""
    digits: list[int] = []
    while len(digits) + 1 < math.ceil(config.converter.input_bits / config.converter.dac_bits):
        value, digit = divmod(value, 2**config.converter.dac_bits)
        digits.insert(0, digit)
    return [value, *digits]


FAULTS: dict[str, list[Any]] = {
    "program_error": [0.1, 10.0],
    "relaxation": [0.1, 10.0],
    "read_noise": [0.02, 1.0],
    "drift": [0.05, -1.0, 1.0],
    "drift_spread": [0.02, 1.0],
    "drift_t0_s": [1e-9, 1e9],
    "stuck_low": [0.1, 1.0],
    "stuck_high": [0.1, 1.0],
    "stuck_any": [0.1, 1.0],
    "nonlinearity": [3.0, 100.0],
    "pulse_threshold": [0, 1 << 16],
    "pulse_step": [1e-9, 10.0],
    "headroom": [0.0, 3.0],
    "pulse_device_spread": [0.3, 3.0],
    "pulse_cycle_spread": [0.3, 3.0],
    "r_word_ohm": [2.0, 1 / 35e-6],
    "r_bit_ohm": [2.0, 1 / 35e-6],
    "r_driver_ohm": [20.0, 1 / 35e-6],
    "r_sense_ohm": [20.0, 1 / 35e-6],
    "dac_offset": [0.1, 3.0, 100.0],
    "dac_gain": [0.01, 0.2],
    "dac_inl": [0.1, 3.0, 100.0],
    "dac_dnl": [0.1, 3.0, 100.0],
    "dac_noise": [0.1, 1.0, 100.0],
    "adc_offset": [0.5, 8.0, 100.0],
    "adc_gain": [0.01, 0.2],
    "adc_inl": [0.3, 8.0, 100.0],
    "adc_dnl": [0.3, 8.0, 100.0],
    "sense_noise": [0.5, 1e12],
    "loop_program_error": [0.1, 10.0],
    "open_loop_gain": [1e3, 10.0, 1e12],
    "gain_bandwidth_hz": [1.0, 1e12],
    "node_f": [1e-18, 1e-6],
    "inverter_hz": [1e9, 1.0, 1e12],
    "output_ohm": [100.0, 1e6],
    "saturation_v": [1e-3, 100.0],
    "amplifier_offset_v": [1e-3, 1.0],
    "amplifier_noise_v": [1e-4, 1.0],
    "seed": [1, 5 + (3 << 32), (1 << 63) - 1],
}
"""Values of each parameter of the physics: usual ones, and the ends of its range."""


@st.composite
def faults(draw: st.DrawFn) -> dict[str, Any]:
    """Draw some parameters of the physics, of which few are zero and many are extreme."""
    names = draw(st.lists(st.sampled_from(sorted(FAULTS)), unique=True, max_size=6))
    return {name: draw(st.sampled_from(FAULTS[name])) for name in names}
