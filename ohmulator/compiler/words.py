"""Integers as the words of the machine's memories, and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = NDArray[np.uint32]


def to_words(values: NDArray[np.int64]) -> Words:
    """Return integers of 32 bits, of any shape, as words [n] in the order of memory."""
    return values.astype("<i4").view("<u4").ravel()


def from_words(words: ArrayLike) -> NDArray[np.int64]:
    """Return words [n] as signed integers [n]."""
    return np.asarray(words, "<u4").view("<i4").astype(np.int64)
