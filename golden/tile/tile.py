"""The tile: a matrix in memory, multiplied by vectors through converters and shift-add."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_integers
from golden.converter.dac import input_planes
from golden.tile.analog import Analog
from golden.tile.shift_add import accumulate, slice_sums
from spec.config import ChipConfig


@dataclass(frozen=True)
class Products:
    """Hold what a tile made of a batch of n vectors.

    Attributes
    ----------
    results
        [n, outputs], integers.
    codes
        [n, planes, converters, groups], signed(adc_bits), what each ADC said.
    held
        Same shape, the values it converted, in units as `golden.converter.adc` defines them.
    beyond
        Same shape, whether that was out of range. An ADC that serves no output never is.
    steps
        [n, steps], of the ADCs.
    transposed
        Whether they are products with the transposed matrix.
    clips_high, clips_low
        [n], conversions above and below the range of their ADC.
    saturations
        [n], accumulations that did not fit `accumulator_bits`.
    """

    results: NDArray[np.int64]
    codes: NDArray[np.int64]
    held: NDArray[np.float64]
    beyond: NDArray[np.bool_]
    steps: NDArray[np.int64]
    transposed: bool
    clips_high: NDArray[np.int64]
    clips_low: NDArray[np.int64]
    saturations: NDArray[np.int64]


class Tile:
    """The reference of `hw.tile.tile.Tile`, vectorised over batches."""

    def __init__(self, config: ChipConfig, analog: Analog):
        self.config = config
        self.analog = analog

    def multiply(
        self, vectors: ArrayLike, steps: ArrayLike | None = None, *, transposed: bool = False
    ) -> Products:
        """Multiply input vectors [n, rows] by the matrix in the array.

        Or, `transposed`, input vectors [n, columns] by the transposed matrix.

        Parameters
        ----------
        vectors
            Integers within `input_range`.
        steps
            [steps] for the whole batch, or [n, steps]: log2 in units of the ADC step of each
            slice (and of the unit column, last). By default the smallest with which no exact sum
            clips.

        Raises
        ------
        UserError
            If a shape or value does not fit the configuration, or it is not `transposable`.
        """
        config = self.config
        direction = config.direction(transposed)
        planes = input_planes(config, vectors, transposed=transposed)
        count = len(planes)
        steps = checked_steps(config, steps, count, transposed=transposed)

        held = self.analog.hold(planes.reshape(-1, direction.inputs), transposed=transposed)
        held = held.reshape(count, config.planes, config.converters, direction.groups)
        codes = self.analog.adcs(steps).convert(held)
        beyond = self.analog.converters.beyond(held, steps, transposed=transposed)
        sums = slice_sums(config, codes, steps)[..., : direction.outputs]
        results, saturations = accumulate(config, sums)
        return Products(
            results,
            codes,
            held,
            beyond,
            steps,
            transposed,
            (beyond & (codes >= 0)).sum(axis=(1, 2, 3)),
            (beyond & (codes < 0)).sum(axis=(1, 2, 3)),
            saturations,
        )


def checked_steps(
    config: ChipConfig, steps: ArrayLike | None, count: int, *, transposed: bool = False
) -> NDArray[np.int64]:
    """Return ADC steps as int64 [count, steps], or raise `UserError` saying what is wrong."""
    if steps is None:
        direction = config.direction(transposed)
        return np.full((count, config.steps), direction.covering_step, np.int64)
    try:
        same = np.ndim(steps) < 2
    except ValueError:
        # Lines of different lengths, which are refused below.
        same = False
    shape = (config.steps,) if same else (count, config.steps)
    array = checked_integers("steps", steps, shape, *config.step_range)
    return np.broadcast_to(array, (count, config.steps))
