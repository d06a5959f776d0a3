"""Make tables for `hw.boundary.real_array` of what an array holds, noise left out."""

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from spec.real_array import needs_dacs, needs_thresholds

Floats = NDArray[np.float64]


def tables(analog: Analog) -> dict[str, Floats]:
    """Return the tables of an array as it is now, by the names that `hw.boundary.real_array` has.

    `matrix` [inputs of all directions, converters, groups], `cells` [slices, rows, bit_lines] and,
    if there are errors, `dacs` [drive_lines, codes] and `thresholds` [steps, converters, codes].

    Raises
    ------
    UserError
        If the cells are curved, see `spec.real_array.require_real_array`.
    """
    config, array = analog.config, analog.array
    groups = max(direction.groups for direction in config.directions)
    found = {
        "matrix": np.concatenate(
            [
                _wide(analog.matrix(transposed=direction is not config.forward), groups)
                for direction in config.directions
            ]
        ),
        "cells": array.cell_currents(*_all_cells(array.cells.shape))[0].reshape(array.cells.shape),
    }
    half = 1 << (config.code_bits - 1)
    if needs_dacs(config):
        codes = np.arange(-half, half)[:, None].repeat(config.drive_lines, axis=1)
        found["dacs"] = array.drive(codes).T
    if needs_thresholds(config):
        half = 1 << (config.converter.adc_bits - 1)
        codes = np.arange(-half, half + 1)[:, None]
        levels = [
            analog.adcs(np.full(config.steps, step)).threshold(codes).T
            for step in range(config.step_range[1] + 1)
        ]
        found["thresholds"] = np.stack(levels)
    return found


def _all_cells(shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    return [index.ravel() for index in np.indices(shape)]


def _wide(matrix: Floats, groups: int) -> Floats:
    """Return [inputs, converters, n] filled up with zeros to the groups of the other direction."""
    return np.pad(matrix, [(0, 0), (0, 0), (0, groups - matrix.shape[2])])
