"""Everything that a real chip does to an ideal product, as parameters.

All of it is behind the analogue boundary: no line of Verilog depends on it.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from spec.errors import require, require_integer, require_number

LARGEST = 4
"""Largest conductance that a cell may have, as a multiple of `ChipConfig.g_max_s`."""


@dataclass(frozen=True)
class Physics:
    """Describe the non-idealities of cells, wires and converters. Validated when made.

    The defaults are an ideal chip: 0 means that an effect does not happen. Values that differ
    from instance to instance are drawn from `seed`, independently for each cell and converter.
    "Level" as a unit is the conductance step of a level, `ChipConfig.g_step_s`; "LSB" is one code
    of the converter at its present step.

    Parameters
    ----------
    seed
        The same seed and configuration give the same chip, and the same noise in time.
    r_word_ohm, r_bit_ohm
        Wire in ohms between neighbouring cells of a word line and of a bit line; 0 is ideal. See
        `golden.array.wires`. 1.73 ohm in doi 10.1038/s41928-025-01477-0 (grade C).
    r_driver_ohm, r_sense_ohm
        Between driver and first cell of a word line, and between last cell and virtual ground of
        a bit line, in ohms.
    program_error
        Standard deviation in levels of what `golden.array.cells.Cells.program` leaves between
        target and cell: g = target + N(0, program_error g_step), clipped to the device's bounds. It
        stands for a whole write-verify run; pulses, which simulate one, do not use it.
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
        above the mean some cells grow, as RRAM cells do, up to the device's upper bound.
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
        The device's bounds lie beyond the levels: g_min / (1 + headroom), g_max (1 + headroom).
    pulse_device_spread, pulse_cycle_spread
        Standard deviation of the logarithm of a pulse's strength, from cell to cell (SET and RESET
        apart, drawn once) and from pulse to pulse.
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

    seed: int = 0
    r_word_ohm: float = 0.0
    r_bit_ohm: float = 0.0
    r_driver_ohm: float = 0.0
    r_sense_ohm: float = 0.0
    program_error: float = 0.0
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
        require_integer("seed", self.seed, 0, (1 << 63) - 1)
        for name in ("r_word_ohm", "r_bit_ohm", "r_driver_ohm", "r_sense_ohm"):
            require_number(name, getattr(self, name), 0.0, 1e9, "ohms")
        for name in ("program_error", "relaxation"):
            require_number(name, getattr(self, name), 0.0, 10.0, "levels")
        require_number("read_noise", self.read_noise, 0.0, 1.0, "of the conductance")
        require_number("drift", self.drift, -1.0, 1.0, "(an exponent)")
        require_number("drift_spread", self.drift_spread, 0.0, 1.0, "(an exponent)")
        require_number("drift_t0_s", self.drift_t0_s, 1e-9, 1e9, "seconds")
        for name in ("stuck_low", "stuck_high", "stuck_any"):
            require_number(name, getattr(self, name), 0.0, 1.0, "(a probability)")
        stuck = self.stuck_low + self.stuck_high + self.stuck_any
        require(
            stuck <= 1,
            f"stuck_low, stuck_high and stuck_any together must be at most 1, not {stuck:g}",
        )
        require_number("nonlinearity", self.nonlinearity, 0.0, 100.0, "per volt")
        require_integer("pulse_threshold", self.pulse_threshold, 0, 1 << 16)
        require_number("pulse_step", self.pulse_step, 1e-9, 10.0, "per code")
        require_number("headroom", self.headroom, 0.0, LARGEST - 1, "of the bounds")
        for name in ("pulse_device_spread", "pulse_cycle_spread"):
            require_number(name, getattr(self, name), 0.0, 3.0, "(of a logarithm)")
        for side in ("dac", "adc"):
            for name in ("offset", "inl", "dnl"):
                key = f"{side}_{name}"
                require_number(key, getattr(self, key), 0.0, 100.0, "LSB")
            key = f"{side}_gain"
            require_number(key, getattr(self, key), 0.0, 0.2, "(a share)")
        require_number("dac_noise", self.dac_noise, 0.0, 100.0, "LSB")
        require_number("sense_noise", self.sense_noise, 0.0, 1e12, "units")

    @property
    def resistive(self) -> bool:
        """Whether any wire has a resistance."""
        return any((self.r_word_ohm, self.r_bit_ohm, self.r_driver_ohm, self.r_sense_ohm))

    @cached_property
    def hash(self) -> str:
        """Return 16 hexadecimal digits that differ whenever a parameter differs."""
        fields = dataclasses.asdict(self)
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


IDEAL = Physics()
"""A chip without non-idealities."""
