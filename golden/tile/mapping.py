"""Digits as levels of cells, and bit-line currents as the values that the ADCs see.

Bit lines of the differential mapping: column c has lines 2 c (positive digits) and 2 c + 1
(negative digits), neighbours, so that both see the same wires.

Bit lines of the offset mapping: column c is line c, and holds digit plus radix/2 in the top slice
and the digit itself in the others. Line `columns` of the top slice is the unit column, every cell
at level 1: it measures the sum of the inputs, of which the periphery subtracts radix/2 of the top
slice's place. In the other slices that line is not used and stays at level 0. Line `columns` + 1
is the reference, every cell at level 0: subtracted from all others in analogue, it cancels the
conductance that level 0 has.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spec.config import ChipConfig
from spec.tables import Mapping


def cell_levels(config: ChipConfig, digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the levels [slices, rows, bit_lines] that hold digits [slices, rows, columns]."""
    levels = np.zeros((config.array.slices, config.array.rows, config.bit_lines), np.int64)
    if config.array.mapping is Mapping.DIFFERENTIAL:
        levels[..., 0::2] = np.maximum(digits, 0)
        levels[..., 1::2] = np.maximum(-digits, 0)
    else:
        levels[..., : config.array.columns] = digits
        levels[-1, :, : config.array.columns] += config.radix // 2
        levels[-1, :, config.array.columns] = 1
    return levels


def column_values(config: ChipConfig, lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Combine line currents [n, slices, bit_lines] into ADC inputs [n, converters, groups].

    Converter s * adcs + a serves the `groups` adjacent columns from a * groups on of slice s.
    The converter of the unit column, the last, sees the same value in every group.
    """
    groups = config.forward.groups
    if config.array.mapping is Mapping.DIFFERENTIAL:
        return (lines[..., 0::2] - lines[..., 1::2]).reshape(-1, config.converters, groups)
    values = lines[..., :-1] - lines[..., -1:]
    columns = values[..., : config.array.columns].reshape(-1, config.converters - 1, groups)
    unit = values[:, -1:, config.array.columns :]
    return np.concatenate([columns, np.broadcast_to(unit, (*unit.shape[:2], groups))], 1)


def row_values(config: ChipConfig, lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread word-line currents [n, slices, rows] over ADC inputs [n, converters, groups].

    Converter s * adcs + a serves the `groups` adjacent rows from a * groups on of slice s, and
    at nothing, here a current of 0, where there are no more rows.
    """
    groups = config.transposed.groups
    padding = [(0, 0), (0, 0), (0, config.converter.adcs * groups - config.array.rows)]
    return np.pad(lines, padding).reshape(-1, config.converters, groups)


def split_steps(
    config: ChipConfig, values: NDArray[Any], *, transposed: bool
) -> list[NDArray[Any]]:
    """Return the values [..., converters, groups] of outputs, flat, for each ADC step."""
    seen = outputs_seen(config, transposed=transposed)
    ends = [config.converter.adcs * (s + 1) for s in range(config.array.slices)]
    parts = zip(np.split(values, ends, axis=-2), np.split(seen, ends), strict=True)
    return [part[..., there].ravel() for part, there in parts][: config.steps]


def outputs_seen(config: ChipConfig, *, transposed: bool) -> NDArray[np.bool_]:
    """Return which ADC inputs [converters, groups] are those of an output."""
    direction = config.direction(transposed)
    array = (
        np.arange(config.converter.adcs * direction.groups).reshape(
            config.converter.adcs, direction.groups
        )
        < direction.outputs
    )
    seen = np.ones((config.converters, direction.groups), bool)
    seen[: config.array.slices * config.converter.adcs] = np.tile(array, (config.array.slices, 1))
    return seen
