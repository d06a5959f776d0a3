"""State of the machine between instructions, and what one instruction changes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spec.instruction import Instruction
from spec.isa import ErrorCode


@dataclass(frozen=True)
class Status:
    """Tell whether a program runs, why the last one stopped, and at which instruction."""

    running: bool
    code: ErrorCode
    pc: int


@dataclass
class Effects:
    """Hold what one instruction did.

    Attributes
    ----------
    pc
        Its address.
    instruction
        What was decoded; None if that failed.
    code
        NONE, or why the machine stopped; nothing below has changed then.
    words
        Writes to the vector memory: address and values [n].
    scalars
        Writes to scalars, by number.
    counters
        What was added to the counters, those of the chip under None, those of a tile under its
        number.
    """

    pc: int
    instruction: Instruction | None = None
    code: ErrorCode = ErrorCode.NONE
    words: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list)
    scalars: dict[int, int] = field(default_factory=dict)
    counters: dict[int | None, dict[str, int]] = field(default_factory=dict)

    def count(self, name: str, amount: int, tile: int | None = None) -> None:
        """Add to a counter."""
        if amount:
            counters = self.counters.setdefault(tile, {})
            counters[name] = counters.get(name, 0) + amount
