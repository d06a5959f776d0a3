"""What a chip has done for a solver, by name."""

from dataclasses import dataclass


@dataclass
class Counts:
    """Hold counts, all from 0.

    Attributes
    ----------
    settles
        Settles of loops.
    loop_cycles
        Clock cycles in which the op-amps of loops were on.
    drives
        Drives of loops, and planes of products.
    conversions
        Conversions, those that looked for a step included.
    clips
        Codes of loops that stand for values beyond the range of the ADCs.
    saturated, disturbed
        Settles in which an op-amp saturated, and in which cells saw more than the read voltage.
    """

    settles: int = 0
    loop_cycles: int = 0
    drives: int = 0
    conversions: int = 0
    clips: int = 0
    saturated: int = 0
    disturbed: int = 0

    def since(self, before: "Counts") -> "Counts":
        """Return what was added to earlier counts."""
        return Counts(**{name: value - getattr(before, name) for name, value in vars(self).items()})

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: value + getattr(other, name) for name, value in vars(self).items()})
