"""Check the arguments of a host: spaces, addresses and words."""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ohmulator.host.link import LARGEST_WORD
from spec.errors import UserError, is_integer, require, require_integer, shown
from spec.isa import WORD_RANGE, Described

AnySpace = TypeVar("AnySpace", bound=Described)
"""Space of a chip or of another device."""


def checked_place(
    spaces: type[AnySpace], space: AnySpace, address: int, count: int
) -> tuple[AnySpace, int]:
    """Return one of `spaces` and an address from which on there are addresses for `count` words.

    Raises
    ------
    UserError
        If there is no such space or address.
    """
    require(
        is_integer(space) and int(space) in list(spaces),
        f"space must be one of {', '.join(spaces.__members__)}, not {shown(space)}",
    )
    last = LARGEST_WORD + 1 - count
    return spaces(int(space)), require_integer("address", address, 0, last)


def checked_words(words: ArrayLike) -> NDArray[np.int64]:
    """Return words [n] that are integers of 32 bits, signed or unsigned.

    Raises
    ------
    UserError
        If they are none.
    """
    try:
        values = np.asarray(words)
    except ValueError:
        raise UserError("words must be a list of integers, not one of lists") from None
    # Integers that no type of NumPy holds stay what they are.
    integers = values.dtype.kind in "iu" or all(type(value) is int for value in values.flat)
    require(
        values.ndim == 1 and integers,
        f"words must be a list of integers, not {values.dtype} of shape {values.shape}",
    )
    low, high = WORD_RANGE[0], LARGEST_WORD
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise UserError(
            f"words must be integers of {low} to {high}, not {shown(outside.tolist()[0])}"
        )
    return values.astype(np.int64)
