"""Inputs as DAC codes, planes of digits, most significant first; and the DACs that drive them.

The order spares the accumulator a barrel shifter: it shifts left by `dac_bits` before each plane.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from golden.converter.statics import draw_statics, faulty
from golden.draws import Draw, stream
from spec.advice import CurableError, halves
from spec.config import ChipConfig
from spec.errors import digits


def checked(
    config: ChipConfig, vectors: ArrayLike, *, transposed: bool = False
) -> NDArray[np.int64]:
    """Return input vectors [n, inputs] as int64, or raise `UserError` saying what is wrong."""
    inputs = config.direction(transposed).inputs
    return checked_integers("inputs", vectors, (-1, inputs), *config.input_range)


def input_planes(
    config: ChipConfig, vectors: ArrayLike, *, transposed: bool = False
) -> NDArray[np.int64]:
    """Cut inputs [n, inputs] into DAC codes [n, planes, inputs], most significant plane first.

    The top digit carries the sign; the others are 0 .. 2**dac_bits - 1.

    Raises
    ------
    UserError
        If the shape or an input does not fit the configuration.
    """
    rest = checked(config, vectors, transposed=transposed)[:, None, :]
    places = np.arange(config.planes - 1, -1, -1)[:, None] * config.converter.dac_bits
    codes = rest >> places
    codes[:, 1:] &= (1 << config.converter.dac_bits) - 1
    return codes


class Dacs:
    """The DACs of a tile (`ChipConfig.drive_lines`), with errors as `ChipConfig.physics` says.

    Attributes
    ----------
    ideal
        Whether voltages are exactly their codes.
    largest
        Bound on the magnitude of the voltages, in DAC steps. Noise beyond ten standard deviations
        does not occur.
    stream
        Noise is drawn from it, plane after plane.

    Raises
    ------
    UserError
        If the errors reach beyond all reason, or their table is too large.
    """

    def __init__(self, config: ChipConfig):
        physics = config.physics
        self._low = -(1 << (config.code_bits - 1))
        self._lines = np.arange(config.drive_lines)
        self._noise = physics.converters.dac_noise
        self.stream = stream(physics.seed, Draw.DAC_NOISE)
        self._statics = draw_statics(config, "dac") if faulty(config, "dac") else None
        self.ideal = self._statics is None and not self._noise
        top = max(-config.code_range[0], config.code_range[1])
        self.largest = float(top) + 10 * self._noise
        if self._statics is not None:
            codes = np.arange(self._low, -self._low)
            levels = codes * self._statics.gain[:, None] + self._statics.deviation
            self.largest = float(np.abs(levels).max()) + 10 * self._noise
        if self.largest > 4 * top:
            names = ("dac_offset", "dac_gain", "dac_inl", "dac_dnl", "dac_noise")
            raise CurableError(
                f"errors of the DACs reach {digits(self.largest)} LSB, more than four times their "
                f"largest code, {top}",
                config,
                # Dacs as bad as these are refused when they are made.
                lambda other: Dacs(other) is not None,
                {name: halves(getattr(physics.converters, name)) for name in names},
            )

    def checked(self, codes: ArrayLike, shape: tuple[int, ...] | None) -> NDArray[np.int64]:
        """Return codes of a shape as `golden.checks.checked_integers` does, or raise `UserError`.

        Codes are those that the width of a DAC can say, a few more than inputs need.
        """
        return checked_integers("codes", codes, shape, self._low, -self._low - 1)

    def settled(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return voltages [..., inputs] in DAC steps for codes, noise left out."""
        steps = codes.astype(np.float64)
        if self._statics is not None:
            lines = self._lines[: codes.shape[-1]]
            steps *= self._statics.gain[lines]
            steps += self._statics.deviation[lines, codes - self._low]
        return steps

    def drive(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return voltages [n, inputs] in DAC steps (`ChipConfig.v_step_v`) for codes."""
        steps = self.settled(codes)
        if self._noise:
            steps += self._noise * self.stream.standard_normal(codes.shape)
        return steps
