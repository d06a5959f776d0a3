"""Drive the array behind the boundary of a tile, hold what it carries, and compare that.

The model of the tile and the co-simulated RTL use the same object; the RTL asks it question by
question, through `hw.boundary.analog.AnalogPort`.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.array.lines import Array
from golden.converter.adc import Adcs
from golden.draws import Draw, keyed_normal, stream
from golden.inverse.inversion import Inversion
from golden.tile.adcs import TileAdcs
from golden.tile.mapping import cell_levels, column_values, row_values
from golden.tile.weights import slice_weights
from spec.config import ChipConfig
from spec.physics import IDEAL


class Analog:
    """An array with its converters, as real as `config.physics` says.

    It draws from its random streams with every sample. A second object of the same configuration
    is the same chip, and sees the same noise.

    Attributes
    ----------
    array
        `golden.array.lines.Array`.
    converters
        `golden.tile.adcs.TileAdcs`.
    """

    def __init__(self, config: ChipConfig, array: Array):
        self.config = config
        self.array = array
        physics = config.physics
        self.converters = TileAdcs(config)
        self._noise = stream(physics.seed, Draw.SENSE_NOISE)
        self._reads = np.zeros(array.cells.shape, np.int64)

    @classmethod
    def ideal(cls, config: ChipConfig, weights: ArrayLike) -> "Analog":
        """Return the ideal analogue part that holds weights [rows, columns], physics left out.

        Raises
        ------
        UserError
            If the shape or a weight does not fit the configuration.
        """
        return cls.programmed(config.replace(physics=IDEAL), weights)

    @classmethod
    def programmed(cls, config: ChipConfig, weights: ArrayLike) -> "Analog":
        """Return the analogue part with weights [rows, columns] programmed without pulses.

        Raises
        ------
        UserError
            If the shape or a weight does not fit the configuration, or the physics cannot be
            computed for it.
        """
        levels = cell_levels(config, slice_weights(config, weights))
        return cls(config, Array.programmed(config, levels))

    @cached_property
    def inversion(self) -> Inversion:
        """Loop around the array of the top slice; the feedback is 0 until it is fed.

        Raises
        ------
        UserError
            If the configuration has none.
        """
        return Inversion(self.config, self.array, np.zeros(self.config.array.rows, np.int64))

    @property
    def streams(self) -> list[np.random.Generator]:
        """Streams that products draw from, plane after plane."""
        return [self._noise, *self.array.streams]

    def hold(self, codes: ArrayLike, *, transposed: bool = False) -> NDArray[np.float64]:
        """Drive planes of DAC codes [n, inputs], settle and sample.

        The first product after write pulses finds the cells relaxed.

        Returns the held values [n, converters, groups] in units, as `golden.converter.adc` defines
        them.

        Raises
        ------
        UserError
            As `golden.array.lines.Array.currents` and `transposed_currents`.
        """
        self.array.cells.relax()
        if transposed:
            held = row_values(self.config, self.array.transposed_currents(codes))
        else:
            held = column_values(self.config, self.array.currents(codes))
        if self.config.physics.converters.sense_noise:
            noise = self._noise.standard_normal(held.shape)
            if self.config.unit_columns:
                # One value, held once, that every group converts again.
                noise[:, -1] = noise[:, -1, :1]
            held += self.config.physics.converters.sense_noise * noise
        return held

    def matrix(self, *, transposed: bool = False) -> NDArray[np.float64]:
        """Return the matrix [inputs, converters, groups] of held values in units per DAC code.

        A product with the DAC codes that are really driven, `golden.array.lines.Array.drive`, is
        what `hold` makes of linear cells, noise left out; in whatever order its terms are added, no
        sum rounds.
        """
        lines = self.array.matrix(transposed=transposed)
        return (row_values if transposed else column_values)(self.config, lines)

    def hold_cells(
        self, slices: ArrayLike, rows: ArrayLike, lines: ArrayLike
    ) -> NDArray[np.float64]:
        """Read cells (slices, rows, lines) [n], all different, one by one, and sample.

        Returns the held values [n] in units. Their noise depends on the cell and on how often it
        has been read, alone: cells may be visited in any order.

        Raises
        ------
        UserError
            If a cell lies outside of the array or is named twice.
        """
        physics = self.config.physics
        at = self.array.cells.where(slices, rows, lines)
        currents, deviation = self.array.selected_currents(at)
        cell = np.ravel_multi_index(at, self._reads.shape)
        draws = keyed_normal(physics.seed, Draw.VERIFY_NOISE, cell, self._reads[at])
        self._reads[at] += 1
        return currents + draws * np.hypot(deviation, physics.converters.sense_noise)

    def adcs(self, steps: NDArray[np.int64]) -> Adcs:
        """Return the ADCs at steps, as `golden.tile.adcs.TileAdcs.at`."""
        return self.converters.at(steps)

    def cell_adcs(self, converters: NDArray[np.int64]) -> Adcs:
        """Return ADCs that read a single cell each, as `golden.tile.adcs.TileAdcs.for_cells`."""
        return self.converters.for_cells(converters)
