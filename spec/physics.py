"""Everything that a real chip does to an ideal product, as parameters.

All of it is behind the analogue boundary: no line of Verilog depends on it. The defaults are an
ideal chip: 0 means that an effect does not happen. "Level" as a unit is the conductance step of a
level, `ChipConfig.g_step_s`; "LSB" is one code of the converter at its present step.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

from spec.amplifiers import AmplifierPhysics
from spec.errors import digits, require
from spec.table import Table

LARGEST = 4
"""Largest conductance that a cell may have, as a multiple of `g_max_s`."""

WIRES = "r_word_ohm", "r_bit_ohm", "r_driver_ohm", "r_sense_ohm"
"""Names of the resistances."""


@dataclass(frozen=True)
class CellPhysics(Table):
    """Describe the cells. Validated when made.

    Parameters
    ----------
    program_error
        Standard deviation in levels of what `golden.array.cells.Cells.program` leaves between
        target and cell: g = target + N(0, program_error g_step), clipped to the cell's bounds. It
        stands for a whole write-verify run; pulses, which simulate one, do not use it.
    loop_program_error
        Standard deviation in levels of what programming leaves in the array of an inversion, in
        place of `program_error` where it is larger. Errors there cost iterations and no precision,
        so that such an array needs no long verification.
    relaxation
        Standard deviation in levels by which a cell moves after its last pulse, once for each
        time that it is programmed: g += N(0, relaxation g_step). Verification comes before it and
        does not see it.
    read_noise
        Standard deviation of a cell's conductance from sample to sample, as a share of it. White:
        samples are independent, which telegraph and 1/f noise are not at high rates.
    drift, drift_spread
        Mean and standard deviation over cells of the exponent nu in g(t) = g (t / t0)^-nu, t the
        time since the cell was programmed. The exponent of a cell is drawn once; with a spread
        above the mean some cells grow, as RRAM cells do, up to the cell's upper bound.
    drift_t0_s
        t0 in seconds: before it nothing drifts.
    stuck_low, stuck_high, stuck_any
        Probabilities that a cell is stuck at `g_min_s`, at `g_max_s`, or at a conductance drawn
        uniformly between them. Stuck cells do not drift and ignore all programming.
    nonlinearity
        k in 1/V of the cell's curve i = g v_read sinh(k v) / sinh(k v_read), whose conductance is
        exact at `v_read_v`; 0 is linear. Together with wires every plane is solved by iteration,
        thousands of times slower than a product.
    pulse_threshold
        Largest amplitude, as a DAC code, to which cells do not react.
    pulse_step
        Strength of a pulse per code above the threshold, see `golden.array.cells`. Assumed.
    headroom
        The cell's bounds lie beyond the levels: g_min / (1 + headroom), g_max (1 + headroom).
    pulse_device_spread, pulse_cycle_spread
        Standard deviation of the logarithm of a pulse's strength, from cell to cell (SET and RESET
        apart, drawn once) and from pulse to pulse.

    Raises
    ------
    UserError
        If a parameter is out of its range.
    """

    program_error: float = 0.0
    loop_program_error: float = 0.0
    relaxation: float = 0.0
    read_noise: float = 0.0
    drift: float = 0.0
    drift_spread: float = 0.0
    drift_t0_s: float = 1.0
    stuck_low: float = 0.0
    stuck_high: float = 0.0
    stuck_any: float = 0.0
    nonlinearity: float = 0.0
    pulse_threshold: int = 3
    pulse_step: float = 0.02
    headroom: float = 0.1
    pulse_device_spread: float = 0.0
    pulse_cycle_spread: float = 0.0

    def __post_init__(self) -> None:
        for name in ("program_error", "loop_program_error", "relaxation"):
            self._number(name, 0.0, 10.0, "levels")
        self._number("read_noise", 0.0, 1.0, "of the conductance")
        self._number("drift", -1.0, 1.0, "(an exponent)")
        self._number("drift_spread", 0.0, 1.0, "(an exponent)")
        self._number("drift_t0_s", 1e-9, 1e9, "seconds")
        for name in ("stuck_low", "stuck_high", "stuck_any"):
            self._number(name, 0.0, 1.0, "(a probability)")
        stuck = math.fsum((self.stuck_low, self.stuck_high, self.stuck_any))
        require(
            stuck <= 1,
            f"stuck_low, stuck_high and stuck_any together must be at most 1, not {digits(stuck)}",
        )
        self._number("nonlinearity", 0.0, 100.0, "per volt")
        self._integer("pulse_threshold", 0, 1 << 16)
        self._number("pulse_step", 1e-9, 10.0, "per code")
        self._number("headroom", 0.0, LARGEST - 1, "of the bounds")
        for name in ("pulse_device_spread", "pulse_cycle_spread"):
            self._number(name, 0.0, 3.0, "(of a logarithm)")


@dataclass(frozen=True)
class WirePhysics(Table):
    """Describe the wires. Validated when made.

    Parameters
    ----------
    r_word_ohm, r_bit_ohm
        Wire in ohms between neighbouring cells of a word line and of a bit line; 0 is ideal. See
        `golden.array.wires`. 1.73 ohm in doi 10.1038/s41928-025-01477-0 (grade C).
    r_driver_ohm, r_sense_ohm
        Between driver and first cell of a word line, and between last cell and virtual ground of
        a bit line, in ohms.

    Raises
    ------
    UserError
        If a parameter is out of its range.
    """

    r_word_ohm: float = 0.0
    r_bit_ohm: float = 0.0
    r_driver_ohm: float = 0.0
    r_sense_ohm: float = 0.0

    def __post_init__(self) -> None:
        for name in WIRES:
            self._number(name, 0.0, 1e9, "ohms")

    @property
    def resistive(self) -> bool:
        """Tell whether any wire has a resistance."""
        return any(getattr(self, name) for name in WIRES)


@dataclass(frozen=True)
class ConverterPhysics(Table):
    """Describe DACs, ADCs and what stands before these. Validated when made.

    Parameters
    ----------
    dac_offset, dac_gain, dac_inl, dac_dnl
        Standard deviations over the DACs: offset in LSB, relative gain error, and
        INL and DNL in LSB as in `golden.converter.statics`.
    dac_noise
        Standard deviation in LSB of a DAC's output, drawn for each plane.
    adc_offset, adc_gain, adc_inl, adc_dnl
        The same of the ADCs' thresholds. An LSB follows the ADC's step: the range is set by a gain
        in front of the comparator.
    sense_noise
        Standard deviation of the noise of sense amplifier and sample-and-hold, drawn once for
        each held value, referred to its current and in units (`ChipConfig.unit_a`): not in LSB,
        as the value is held before a step is chosen.

    Raises
    ------
    UserError
        If a parameter is out of its range.
    """

    dac_offset: float = 0.0
    dac_gain: float = 0.0
    dac_inl: float = 0.0
    dac_dnl: float = 0.0
    dac_noise: float = 0.0
    adc_offset: float = 0.0
    adc_gain: float = 0.0
    adc_inl: float = 0.0
    adc_dnl: float = 0.0
    sense_noise: float = 0.0

    def __post_init__(self) -> None:
        for side in ("dac", "adc"):
            for name in ("offset", "inl", "dnl"):
                self._number(f"{side}_{name}", 0.0, 100.0, "LSB")
            self._number(f"{side}_gain", 0.0, 0.2, "(a share)")
        self._number("dac_noise", 0.0, 100.0, "LSB")
        self._number("sense_noise", 0.0, 1e12, "units")


@dataclass(frozen=True)
class Physics(Table):
    """Describe the non-idealities of a chip; by default there are none. Validated when made.

    Values that differ from instance to instance are drawn from `seed`, independently for each cell
    and converter.

    Parameters
    ----------
    cells, wires, converters, amplifiers
        See `CellPhysics`, `WirePhysics`, `ConverterPhysics` and
        `spec.amplifiers.AmplifierPhysics`.
    seed
        The same seed and configuration give the same chip, and the same noise in time.

    Raises
    ------
    UserError
        If a parameter is out of its range.
    """

    TABLES: ClassVar[dict[str, type[Table]]] = {
        "cells": CellPhysics,
        "wires": WirePhysics,
        "converters": ConverterPhysics,
        "amplifiers": AmplifierPhysics,
    }

    cells: CellPhysics = CellPhysics()
    wires: WirePhysics = WirePhysics()
    converters: ConverterPhysics = ConverterPhysics()
    amplifiers: AmplifierPhysics = field(default_factory=AmplifierPhysics)
    seed: int = 0

    def __post_init__(self) -> None:
        self._tables()
        self._integer("seed", 0, (1 << 63) - 1)


IDEAL = Physics()
"""A chip without non-idealities."""
