"""Make results of ADC codes: slices are weighted and summed, planes accumulated."""

import numpy as np
from numpy.typing import NDArray

from spec.config import ChipConfig


def slice_sums(
    config: ChipConfig, codes: NDArray[np.int64], steps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sum codes [n, planes, converters, groups] over slices: [n, planes, adcs * groups].

    `steps` [n, steps] says how many units a code of each slice, and of the unit column, is worth.
    """
    arrays = codes[:, :, : config.array.slices * config.converter.adcs]
    arrays = arrays.reshape(
        *codes.shape[:2], config.array.slices, config.converter.adcs * codes.shape[3]
    )
    places = (
        steps[:, : config.array.slices] + np.arange(config.array.slices) * config.array.cell_bits
    )
    sums = (arrays << places[:, None, :, None]).sum(axis=2)
    if config.unit_columns:
        # Converted anew for every group, as the columns are.
        unit = codes[:, :, -1] << steps[:, None, -1:]
        sums += config.weight_range[0] * np.tile(unit, config.converter.adcs)
    return sums


def accumulate(
    config: ChipConfig, sums: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Accumulate slice sums [n, planes, outputs] over the planes, most significant first.

    Returns
    -------
    results
        [n, outputs], saturated after every plane where `accumulator_bits` is below the worst case.
    saturations
        [n], how often that happened.
    """
    high = (1 << (config.result_bits - 1)) - 1
    total = np.zeros_like(sums[:, 0])
    saturations = np.zeros(len(sums), np.int64)
    for plane in range(config.planes):
        exact = (total << config.converter.dac_bits) + sums[:, plane]
        total = np.clip(exact, -high - 1, high)
        saturations += (total != exact).sum(axis=1)
    return total, saturations
