"""Arithmetic of words with block exponents."""

import numpy as np
from numpy.typing import NDArray


def shifted(values: NDArray[np.int64], places: int) -> NDArray[np.int64]:
    """Return values 2^places, rounded to the nearest, halves up."""
    if places >= 0:
        return values << places
    places = min(-places, 62)
    return (values + (1 << (places - 1))) >> places
