"""The ADCs of a tile, all of them at once."""

import numpy as np
from numpy.typing import NDArray

from golden.converter.adc import AdcErrors, Adcs
from golden.converter.statics import draw_statics, faulty
from golden.tile.mapping import outputs_seen
from spec.config import ChipConfig


class TileAdcs:
    """The ADCs of a tile, with errors as `config.physics` says.

    Raises
    ------
    UserError
        If the table of the errors would be too large.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        self._bits = config.converter.adc_bits
        self._errors = AdcErrors(draw_statics(config, "adc")) if faulty(config, "adc") else None

    def at(self, steps: NDArray[np.int64]) -> Adcs:
        """Return them with steps [n, steps], for values [n, planes, converters, groups].

        Steps [steps] are for the values [converters] of one group.
        """
        config = self.config
        counts = [config.converter.adcs] * config.array.slices + [1] * config.unit_columns
        spread = np.repeat(steps, counts, axis=-1)
        adc = np.arange(config.converters)
        if steps.ndim == 1:
            return Adcs(self._bits, spread, self._errors, adc)
        return Adcs(self._bits, spread[:, None, :, None], self._errors, adc[:, None])

    def for_cells(self, converters: NDArray[np.int64]) -> Adcs:
        """Return `converters` [n] of the tile, set to read a single cell each."""
        step = np.full(len(converters), self.config.verify_step)
        return Adcs(self._bits, step, self._errors, converters)

    def beyond(
        self, held: NDArray[np.float64], steps: NDArray[np.int64], *, transposed: bool
    ) -> NDArray[np.bool_]:
        """Tell which held values [n, planes, converters, groups] of outputs are out of range."""
        return self.at(steps).beyond(held) & outputs_seen(self.config, transposed=transposed)
