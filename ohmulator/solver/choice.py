"""Choose preparation, realisation and the size of the chip for a matrix."""

import numpy as np
from numpy.typing import NDArray

from ohmulator.solver.preparation import Prepared, prepare
from ohmulator.solver.realisation import Realisation, realise
from spec.config import ChipConfig
from spec.errors import UserError, require

Floats = NDArray[np.float64]

LARGEST = 256
"""Most unknowns of an array of the default chip."""

HEADROOM = 0.7
"""Share of the read voltage that outputs reach in the end; the rest is for what they overshoot."""


def best_of(config: ChipConfig, matrix: Floats, caution: float) -> tuple[Prepared, Realisation]:
    """Return the preparation, scaled or not, whose realisation promises most.

    Raises
    ------
    UserError
        If neither has a stable loop.
    """
    plain, scaled = prepare(matrix, scaled=False), prepare(matrix, scaled=True)
    found: list[tuple[Prepared, Realisation]] = []
    failed: UserError | None = None
    for prepared in [plain] if scaled.uniform else [plain, scaled]:
        try:
            found.append((prepared, realise(config, prepared.matrix, caution=caution)))
        except UserError as error:
            failed = error
    if not found:
        assert failed
        raise failed
    return min(found, key=lambda each: each[1].promise)


def sized(config: ChipConfig, unknowns: int, slices: int) -> ChipConfig:
    """Return a configuration whose arrays hold a number of unknowns, and whose products are exact.

    Raises
    ------
    UserError
        If there are too many for one array.
    """
    require(
        unknowns <= LARGEST,
        f"a system of {unknowns} real unknowns is larger than an array of {LARGEST} rows",
    )
    size = max(unknowns, 4)
    largest_sum = size * ((1 << config.converter.dac_bits) - 1) * (config.levels - 1)
    return config.replace(
        rows=size,
        columns=size,
        adcs=size,
        slices=slices,
        adc_bits=largest_sum.bit_length() + 1,
    )


def input_levels(system: Floats) -> float:
    """Return the input conductance, a power of two of levels, that keeps outputs below the read
    voltage, whatever the codes, for a loop that holds a system [n, n] in levels."""
    largest = np.abs(np.linalg.inv(system)).sum(axis=1).max()
    return float(np.exp2(np.clip(np.floor(np.log2(HEADROOM / largest)), -10, 10)))
