"""Measure a chip with random weights: its cells, the IR drop of its wires, its ADCs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.array.circuit import wire_ohms
from golden.array.wires import line_voltages
from golden.converter.linearity import Convert, Linearity, enob, ramp
from golden.tile.analog import Analog
from golden.tile.diagnostics import failed_cells, ir_drop
from ohmulator.jobs import pictures


@dataclass(frozen=True)
class Measured:
    """Hold the measurements of a chip.

    Attributes
    ----------
    failed
        [slices, rows, bit_lines], cells over half a level off.
    error
        Same shape, distance of cells from their targets, in levels.
    drop
        [slices, bit_lines], share of a line's current that the wires take.
    adcs
        Linearity of all ADCs.
    bits
        [converters], effective bits of the ADCs.
    """

    failed: NDArray[np.bool_]
    error: NDArray[np.float64]
    drop: NDArray[np.float64]
    adcs: Linearity
    bits: NDArray[np.float64]


def measure(chip: Analog, levels: NDArray[np.int64], samples: int, margin: int) -> Measured:
    """Measure a chip whose cells have target `levels` [slices, rows, bit_lines].

    `samples` and `margin` are those of `ohmulator.jobs.physics.ramp_of`.
    """
    array, config = chip.array, chip.config
    error = (array.g_s - config.array.g_min_s) / config.g_step_s - levels
    adcs, bits = measure_adcs(chip, samples, margin)
    return Measured(failed_cells(array, levels), error, ir_drop(array), adcs, bits)


def measure_adcs(chip: Analog, samples: int, margin: int) -> tuple[Linearity, NDArray[np.float64]]:
    """Measure the ADCs with a ramp, and their effective bits with a sine over their ideal range."""
    config = chip.config
    half = 1 << (config.converter.adc_bits - 1)
    ideal = np.arange(1 - half, half, dtype=np.float64) - 0.5
    convert = converters(chip)
    measured = ramp(convert, config.converters, ideal, -half, samples, margin)
    # A small offset must not make the sine clip.
    spare = min(2, half // 4)
    return measured, enob(convert, config.converters, spare - half, half - 1 - spare)


def converters(chip: Analog) -> Convert:
    """Return all ADCs of a chip, at ADC step 0, as a function of inputs in ideal LSB."""
    return chip.adcs(np.zeros(chip.config.steps, np.int64)).convert


def figures(chip: Analog, found: Measured) -> dict[str, Any]:
    """Return measurements for a JSON file; None: could not be measured."""
    adcs, kept, bits = found.adcs, found.error[~found.failed], _finite(found.bits)
    measurable = np.isfinite(adcs.offset) & np.isfinite(found.bits)
    return {
        "cells": found.failed.size,
        "cells_failed": int(found.failed.sum()),
        "cells_stuck": int(chip.array.cells.stuck.sum()),
        "program_error_levels": float(kept.std()) if kept.size else None,
        "ir_drop_mean": float(found.drop.mean()),
        "ir_drop_worst": float(found.drop.max()),
        "adcs": len(found.bits),
        "adcs_not_measurable": int((~measurable).sum()),
        "adc_offset_worst_lsb": _worst(adcs.offset),
        "adc_gain_worst": _worst(adcs.gain),
        "adc_inl_worst_lsb": _worst(adcs.inl),
        "adc_dnl_worst_lsb": _worst(adcs.dnl),
        "adc_codes_missing": sum(len(codes) for codes in adcs.missing),
        "adc_enob_mean": float(bits.mean()) if bits.size else None,
        "adc_enob_worst": float(bits.min()) if bits.size else None,
    }


def rows(found: dict[str, Any], adc_bits: int) -> list[list[tuple[str, str]]]:
    """Return figures as sections of a table."""

    def told(text: str, *names: str) -> str:
        values = [found[name] for name in names]
        return "not measurable" if None in values else text.format(*values)

    return [
        [
            ("cells off by over half a level", told("{} of {}", "cells_failed", "cells")),
            ("cells stuck", told("{}", "cells_stuck")),
            ("σ of all others", told("{:.3f} levels", "program_error_levels")),
        ],
        [
            (
                "IR drop of full drive, mean and worst line",
                told("{:.1%}, {:.1%}", "ir_drop_mean", "ir_drop_worst"),
            )
        ],
        [
            ("ADCs, of them not measurable", told("{}, {}", "adcs", "adcs_not_measurable")),
            ("worst offset", told("{:.2f} LSB", "adc_offset_worst_lsb")),
            ("worst gain error", told("{:.2%}", "adc_gain_worst")),
            (
                "worst INL, DNL",
                told("{:.2f}, {:.2f} LSB", "adc_inl_worst_lsb", "adc_dnl_worst_lsb"),
            ),
            ("missing codes", told("{}", "adc_codes_missing")),
            (
                "effective bits, mean and worst",
                told(f"{{:.2f}}, {{:.2f}} of {adc_bits}", "adc_enob_mean", "adc_enob_worst"),
            ),
        ],
    ]


def draw(chip: Analog, levels: NDArray[np.int64], found: Measured) -> dict[str, bytes]:
    """Return the pictures "cells", "wires" and "adc" as PNG files."""
    top = chip.config.array.slices - 1
    figures = {
        "cells": pictures.cells(chip.config, levels, chip.array.g_s, top),
        "wires": pictures.wires(cell_voltages(chip, top), found.drop[top], top),
        "adc": pictures.adc(chip.config, *transfer(chip), found.adcs),
    }
    return {name: pictures.png(figure) for name, figure in figures.items()}


def cell_voltages(chip: Analog, slice_: int) -> NDArray[np.float64]:
    """Return the voltages [rows, bit_lines] across linear cells, 1 V on every word line."""
    volts = np.ones(chip.config.array.rows)
    wires = wire_ohms(chip.config.physics.wires)
    lines = line_voltages(chip.array.g_s[slice_], volts, **wires)
    return lines.word - lines.bit


def transfer(chip: Analog) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the codes [n, converters] of inputs [n], in ideal LSB, around zero."""
    inputs = np.arange(-8, 8, 1 / 64)
    repeated = np.repeat(inputs[:, None], chip.config.converters, axis=1)
    return converters(chip)(repeated), inputs


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _worst(values: NDArray[np.float64]) -> float | None:
    found = np.abs(_finite(values))
    return float(found.max()) if found.size else None
