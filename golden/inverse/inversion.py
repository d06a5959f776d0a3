"""A tile that solves equations: one of its arrays in a closed loop, between its converters.

The drive is the negative of its codes, since the loop inverts: the held values solve

    W x = codes 2^places,  W = G+ - G- + F in levels of a cell

(`spec.inversion.InversionConfig.solution_places`), as well as the circuit does.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.array.lines import Array
from golden.checks import checked_integers
from golden.converter.adc import AdcErrors, Adcs
from golden.converter.statics import draw_statics, faulty
from golden.draws import Draw, stream
from golden.inverse.limited import limited
from golden.inverse.loop import Loop, close
from golden.inverse.terminals import admittance
from golden.inverse.transient import Course, Transient
from spec.config import ChipConfig
from spec.consistency import require_invertible
from spec.errors import require

Floats = NDArray[np.float64]


AT_ONCE = 64
"""Drives whose transients are followed together."""


@dataclass(frozen=True)
class Held:
    """Hold what the loop answered to a batch of m drives.

    Attributes
    ----------
    values
        [m, n] in units, the width of an ADC code at step 0.
    saturated
        [m], whether an op-amp reached its saturation voltage on the way.
    disturbed
        [m], whether cells may have seen more than the read voltage on the way.
    """

    values: Floats
    saturated: NDArray[np.bool_]
    disturbed: NDArray[np.bool_]


class _Settled:
    """A stable loop, and what follows from it."""

    def __init__(self, loop: Loop, read_v: float, band: float, offset_v: Floats, input_s: float):
        self.transient = Transient(loop)
        self.offset_v = self.transient.by_offset @ offset_v
        """Outputs [n] for no drive, in volts."""
        self.by_current = self.transient.final / input_s
        """Outputs [n, n] per ampere into a summing node."""
        self._read_v, self._band_v = read_v, band * read_v

    @cached_property
    def worst(self) -> Course:
        """Course of the worst of all drives."""
        return self.transient.worst(self._read_v, self._band_v)


class Inversion:
    """One array of a tile in the loop, with its converters.

    Parameters
    ----------
    config
        Has as many rows as columns, and differential cells that are not curved.
    array
        `golden.array.lines.Array`. What is done to its cells shows in the next answer.
    feedback
        Codes [n] of the feedback conductances.
    slice_
        Array of the loop; the top one by default.

    Raises
    ------
    UserError
        If the configuration has no loop, or feedback codes do not fit it.
    """

    def __init__(self, config: ChipConfig, array: Array, feedback: ArrayLike, *, slice_: int = -1):
        require_invertible(config)
        physics, inversion = config.physics, config.inversion
        n = config.array.rows
        self.config = config
        self.array = array
        self.feedback = checked_integers("feedback", feedback, (n,), 0, inversion.feedback_top)
        self._slice = range(config.array.slices)[slice_]
        self._dacs = draw_statics(config, "inv_dac") if faulty(config, "dac") else None
        adcs = AdcErrors(draw_statics(config, "inv_adc")) if faulty(config, "adc") else None
        self._adc_errors = adcs
        self._adc = np.arange(n) // config.forward.groups
        deviation = physics.amplifiers.amplifier_offset_v
        draws = stream(physics.seed, Draw.AMPLIFIER_OFFSET).standard_normal(n)
        self._offset_v = deviation * draws
        self._dac_noise = stream(physics.seed, Draw.INV_DAC_NOISE)
        self._read_noise = stream(physics.seed, Draw.INV_READ_NOISE)
        self._amplifier_noise = stream(physics.seed, Draw.AMPLIFIER_NOISE)
        self._versions = array.cells.versions - 1
        self._settled: _Settled | None = None
        self._sample: tuple[float, Floats] | None = None

    def feed(self, feedback: ArrayLike) -> None:
        """Set the codes [n] of the feedback conductances.

        Raises
        ------
        UserError
            If they do not fit.
        """
        top = self.config.inversion.feedback_top
        feedback = checked_integers("feedback", feedback, self.feedback.shape, 0, top)
        if not np.array_equal(feedback, self.feedback):
            self.feedback = feedback
            self._versions = self.array.cells.versions - 1

    @property
    def unit_v(self) -> float:
        """Voltage of a unit: the width of an ADC code at step 0."""
        inversion = self.config.inversion
        places = inversion.inv_adc_bits - 1 + inversion.inv_steps - 1
        return math.ldexp(self.config.converter.v_read_v, -places)

    @property
    def dac_v(self) -> float:
        """Voltage of a DAC code."""
        bits = self.config.inversion.inv_dac_bits
        return math.ldexp(self.config.converter.v_read_v, 1 - bits)

    @property
    def loop(self) -> Loop:
        """Loop around the present cells."""
        self._refresh()
        return self._loop

    @property
    def stable(self) -> bool:
        """Tell whether the loop around the present cells is stable."""
        self._refresh()
        return self._settled is not None

    @property
    def transient(self) -> Transient:
        """Transient of the present loop, which is stable."""
        return self._present.transient

    @property
    def weights(self) -> Floats:
        """System [n, n] that cells and feedback hold, in levels; wires and gain left out."""
        self.array.cells.relax()
        g_s = self.array.g_s[self._slice]
        levels = np.ldexp(self.feedback, -self.config.inversion.feedback_fraction_bits)
        return (g_s[:, 0::2] - g_s[:, 1::2]) / self.config.g_step_s + np.diag(levels)

    @property
    def settle_cycles(self) -> int | None:
        """Clock cycles from the drive to the sample, at least 2; None if that is never.

        It is when the worst of all drives has settled, or what the timer says.
        """
        clock_hz, inversion = self.config.machine.clock_hz, self.config.inversion
        if inversion.inv_timer_s:
            seconds = inversion.inv_timer_s
        elif not self.stable or self._present.worst.settled_s > inversion.inv_bound_s:
            return None
        else:
            seconds = self._present.worst.settled_s
        return inversion.cycles(clock_hz, seconds)

    @property
    def loop_cycles(self) -> int | None:
        """Clock cycles in which the op-amps are on for a sample; None if that is never.

        They are on from a cycle before the drive to the sample, which is the last cycle that the
        timer says, or the one after the array has said that it has settled.
        """
        cycles, late = self.settle_cycles, self.config.array.settled_sync
        if cycles is None:
            return None
        return cycles + 1 if self.config.inversion.inv_timer_s else cycles + late + 2

    @property
    def settle_s(self) -> float | None:
        """Seconds from the drive to the sample; None if that is never."""
        cycles = self.settle_cycles
        return None if cycles is None else cycles / self.config.machine.clock_hz

    def hold(self, codes: ArrayLike) -> Held:
        """Drive codes [m, n], wait and sample. Each call draws the noise of its samples.

        Raises
        ------
        UserError
            If codes do not fit the DACs, or the loop does not settle.
        """
        config = self.config
        top = config.inversion.inv_code_top
        codes = checked_integers("codes", codes, (-1, config.array.rows), -top, top)
        seconds = self.settle_s
        require(seconds is not None, "the loop does not settle: add feedback, or sample by a timer")
        assert seconds is not None
        drives_v = self._drives_v(codes)
        volts = np.zeros(codes.shape)
        saturated = disturbed = np.ones(len(codes), bool)
        if self.stable:
            volts = -drives_v @ self._sampled(seconds).T + self._present.offset_v
            saturated, disturbed = self._reached(drives_v)
        limit_v = config.physics.amplifiers.saturation_v
        for each in np.flatnonzero(saturated):
            volts[each] = limited(self.loop, -drives_v[each], self._offset_v, limit_v, seconds)
        if self.stable:
            volts += self._noise_v(volts)
        return Held(volts / self.unit_v, saturated, disturbed)

    def adcs(self, step: int, *, once: bool = False) -> Adcs:
        """Return the ADCs at a step, for values [..., n], or [..., adcs] `once` for each of them.

        Output i belongs to ADC i // (n / adcs).
        """
        adc = np.arange(self.config.converter.adcs) if once else self._adc
        steps = np.full(len(adc), step)
        return Adcs(self.config.inversion.inv_adc_bits, steps, self._adc_errors, adc)

    def _drives_v(self, codes: NDArray[np.int64]) -> Floats:
        """Return what the DACs settle to, [m, n] in volts, with their noise."""
        steps = codes.astype(np.float64)
        if self._dacs is not None:
            at = codes + self.config.inversion.inv_code_top + 1
            steps = steps * self._dacs.gain
            steps += self._dacs.deviation[np.arange(codes.shape[1]), at]
        noise = self.config.physics.converters.dac_noise
        if noise:
            steps += noise * self._dac_noise.standard_normal(steps.shape)
        return steps * self.dac_v

    def _sampled(self, seconds: float) -> Floats:
        """Return the outputs [n, n] at the sampling instant, per volt of drive."""
        if self._sample is None or self._sample[0] != seconds:
            self._sample = seconds, self.transient.at(seconds)
        return self._sample[1]

    def _reached(self, drives_v: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which drives [m, n] saturate op-amps, and which disturb cells."""
        limits = self.config.physics.amplifiers.saturation_v, self.config.converter.v_read_v
        present = self._present
        offset_v = np.abs(present.offset_v).max()
        reached_v = (np.abs(drives_v) @ present.worst.peaks_v.T).max(axis=1, initial=0.0)
        # The sum over all drives is a bound only: what is above it is looked at drive by drive.
        doubtful = np.flatnonzero(reached_v + offset_v > min(limits))
        for some in np.array_split(doubtful, -(-len(doubtful) // AT_ONCE) or 1):
            if len(some):
                course = present.transient.course(-drives_v[some].T, np.inf)
                reached_v[some] = course.peaks_v.max(axis=0)
        reached_v += offset_v
        return reached_v > limits[0], reached_v > limits[1]

    def _noise_v(self, volts: Floats) -> Floats:
        """Return the noise of a sample of outputs [m, n], in volts."""
        physics, present = self.config.physics, self._present
        noise_v = np.zeros(volts.shape)
        if physics.amplifiers.amplifier_noise_v:
            draws = self._amplifier_noise.standard_normal(volts.shape)
            by_offset = present.transient.by_offset
            noise_v += physics.amplifiers.amplifier_noise_v * draws @ by_offset.T
        if physics.cells.read_noise:
            squares = (self.array.g_s[self._slice] ** 2).reshape(volts.shape[1], -1, 2).sum(axis=2)
            sigma_a = np.sqrt(volts**2 @ squares.T) * physics.cells.read_noise
            draws = self._read_noise.standard_normal(volts.shape)
            noise_v += (sigma_a * draws) @ present.by_current.T
        return noise_v

    @property
    def _present(self) -> _Settled:
        self._refresh()
        assert self._settled is not None, "only a stable loop settles"
        return self._settled

    def _refresh(self) -> None:
        """Bring the loop up to date with the cells, which are relaxed when it is closed."""
        self.array.cells.relax()
        versions = self.array.cells.versions
        if np.array_equal(versions, self._versions):
            return
        config, inversion = self.config, self.config.inversion
        levels = np.ldexp(self.feedback, -inversion.feedback_fraction_bits)
        crossbar = admittance(self.array.g_s[self._slice], config.physics.wires)
        input_s = inversion.input_levels * config.g_step_s
        feedback_s = np.asarray(levels * config.g_step_s, np.float64)
        self._loop = close(crossbar, feedback_s, input_s, config.physics.amplifiers)
        self._versions = versions.copy()
        self._settled = self._sample = None
        if self._loop.abscissa < 0:
            read_v, band = config.converter.v_read_v, inversion.settle_band
            self._settled = _Settled(self._loop, read_v, band, self._offset_v, input_s)


def loop_config(config: ChipConfig) -> ChipConfig:
    """Return the configuration of a tile that is programmed for an inversion."""
    cells = config.physics.cells
    error = max(cells.program_error, cells.loop_program_error)
    return config.replace(program_error=error)
