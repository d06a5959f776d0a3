"""Choose ADC steps from data: the finest range that holds what the ADCs are given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_floats
from golden.converter.adc import Adcs
from golden.tile.mapping import split_steps
from spec.config import ChipConfig
from spec.errors import require, require_number


def calibrate(
    config: ChipConfig,
    held: ArrayLike,
    percentile: float = 100.0,
    *,
    transposed: bool = False,
) -> NDArray[np.int64]:
    """Return the steps [steps], one a slice and one for the unit column, for such held values.

    The coarsest step there is where values exceed even that one.

    Parameters
    ----------
    held
        [..., converters, groups] in units: those of representative vectors, as in
        `golden.tile.tile.Products` or from `golden.tile.analog.Analog.hold`.
    percentile
        Share of the magnitudes, in percent, that must fit: 100 clips none of them, less trades
        clipping of the largest for resolution of the others.
    transposed
        Whether the values are those of products with the transposed matrix.

    Raises
    ------
    UserError
        If there are no values or some are not finite, or the percentile is not of 0 to 100.
    """
    held = checked_floats("held values", held)
    require_number("percentile", percentile, 0.0, 100.0, "percent")
    shape = (config.converters, config.direction(transposed).groups)
    require(
        held.shape[-2:] == shape and held.size > 0,
        f"held values must have the shape ... x {shape[0]} x {shape[1]}, not "
        f"{' x '.join(map(str, held.shape))}",
    )
    require(bool(np.isfinite(held).all()), "held values must be finite")
    parts = split_steps(config, np.abs(held), transposed=transposed)
    # A magnitude that occurs, not one between two: at 100 the largest itself.
    reach = [np.percentile(part, percentile, method="higher") for part in parts]
    choices = np.arange(config.step_range[1] + 1)
    adcs = Adcs(config.converter.adc_bits, choices[:, None])
    # The upper end of a range is the nearer one.
    fits = ~adcs.beyond(np.array(reach))
    fits[-1] = True
    return fits.argmax(axis=0)
