"""Memories of the machine, in words as its host sees them and in items as programs do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from golden.checks import checked_integers
from spec.config import ChipConfig
from spec.errors import is_integer, require, shown
from spec.isa import (
    DESCRIPTOR_FIELDS,
    HOLDING_FIELDS,
    WORD_BITS,
    ErrorCode,
    MachineError,
    Space,
)
from spec.packet import space_words

Words = NDArray[np.uint32]


class Memories:
    """All spaces of a machine: zero at first, where the RTL may have anything but for holdings.

    Attributes
    ----------
    spaces
        Words of each space; all else is a view of them.
    vector
        Signed words.
    program
        Instructions as words of 64 bits.
    scalars
        Signed words of 64 bits.
    weights
        Signed words.
    descriptors, holdings
        [items, words of one], fields as in `DESCRIPTOR_FIELDS` and `HOLDING_FIELDS`.
    """

    def __init__(self, config: ChipConfig):
        self._config = config
        self.spaces = {space: np.zeros(space_words(config, space), "<u4") for space in Space}
        self.vector = self.spaces[Space.VECTOR].view("<i4")
        self.program = self.spaces[Space.PROGRAM].view("<u8")
        self.scalars = self.spaces[Space.SCALAR].view("<i8")
        self.weights = self.spaces[Space.WEIGHT].view("<i4")
        self.descriptors = self.spaces[Space.DESCRIPTOR].reshape(-1, len(DESCRIPTOR_FIELDS))
        self.holdings = self.spaces[Space.HOLDING].reshape(-1, len(HOLDING_FIELDS))

    def write(self, space: Space, address: int, words: Sequence[int] | Words) -> None:
        """Write words of 32 bits, 0 to 2**32 - 1, from an address on.

        Raises
        ------
        MachineError
            RANGE or VALUE.
        UserError
            If the words are none, or space or address are of a wrong type.
        """
        values = checked_integers("words", words, (-1,), 0, (1 << WORD_BITS) - 1).astype("<u4")
        where = self._place(space, address, len(values))
        if space is Space.WEIGHT:
            low, high = self._config.weight_range
            weights = values.view("<i4")
            require_or(bool(((weights >= low) & (weights <= high)).all()), ErrorCode.VALUE)
        if space is Space.HOLDING:
            matrices = values[(address + 1) % 2 :: 2]
            require_or(bool((matrices <= self._config.machine.matrices).all()), ErrorCode.VALUE)
        self.spaces[space][where] = values
        if space is Space.DESCRIPTOR and len(values):
            # Holdings count matrices from 1.
            size = len(DESCRIPTOR_FIELDS)
            first, last = address // size + 1, (address + len(values) - 1) // size + 1
            held = self.holdings[:, 1]
            held[(held >= first) & (held <= last)] = 0

    def read(self, space: Space, address: int, count: int) -> Words:
        """Return `count` words of 32 bits from an address on.

        Raises
        ------
        MachineError
            RANGE.
        UserError
            If space, address or count are of a wrong type.
        """
        where = self._place(space, address, count)
        return self.spaces[space][where].copy()

    def words(self, address: int, count: int) -> NDArray[np.int64]:
        """Return words of the vector memory, or raise ADDRESS."""
        require_or(inside(address, count, len(self.vector)), ErrorCode.ADDRESS)
        return self.vector[address : address + count].astype(np.int64)

    def _place(self, space: Space, address: int, count: int) -> slice:
        require(isinstance(space, Space), f"space must be a Space, not {shown(space)}")
        for name, value in (("address", address), ("count", count)):
            require(is_integer(value), f"{name} must be an integer, not {shown(value)}")
        require_or(inside(address, count, len(self.spaces[space])), ErrorCode.RANGE)
        return slice(address, address + count)


def inside(address: int, count: int, size: int) -> bool:
    """Tell whether `count` words from an address on lie in a memory."""
    return address >= 0 and count >= 0 and address + count <= size


def require_or(holds: bool, code: ErrorCode) -> None:
    """Raise `MachineError` unless a condition holds."""
    if not holds:
        raise MachineError(code)
