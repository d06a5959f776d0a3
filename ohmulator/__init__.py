"""Analogue in-memory computing on a chip that is simulated, proven and, one day, real.

    from ohmulator import Chip

    with Chip("digits", adc_bits=13, tiles=16) as chip:
        matrix = chip.matrix(weights)
        results = matrix.multiply(vectors)

Everything that a user needs can be imported from here. It is loaded when it is first asked for, so
that command lines which only print their options start at once.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ohmulator.chip import Chip, Matrix
    from ohmulator.host.errors import LinkError, MismatchError, ProgramError, RefusedError
    from ohmulator.solver import Schwarz, Solver
    from spec.config import ChipConfig
    from spec.errors import UserError
    from spec.load import load, presets
    from spec.physics import Physics

__all__ = [
    "Chip",
    "ChipConfig",
    "LinkError",
    "Matrix",
    "MismatchError",
    "Physics",
    "ProgramError",
    "RefusedError",
    "Schwarz",
    "Solver",
    "UserError",
    "load",
    "presets",
]

_HOMES = {
    "Chip": "ohmulator.chip",
    "ChipConfig": "spec.config",
    "LinkError": "ohmulator.host.errors",
    "Matrix": "ohmulator.chip",
    "MismatchError": "ohmulator.host.errors",
    "Physics": "spec.physics",
    "ProgramError": "ohmulator.host.errors",
    "RefusedError": "ohmulator.host.errors",
    "Schwarz": "ohmulator.solver.schwarz",
    "Solver": "ohmulator.solver.solver",
    "UserError": "spec.errors",
    "load": "spec.load",
    "presets": "spec.load",
}
"""Module of each name."""

_BESIDE = "spec", "golden", "hw", "sim"
"""Packages that stand beside this one, under names that others use as well."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_checkout()
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def require_checkout() -> None:
    """Raise `ImportError` if a package of the project is missing or hidden by another."""
    checkout = Path(__file__).resolve().parents[1]
    for name in _BESIDE:
        try:
            found = importlib.util.find_spec(name)
        except ValueError:
            # A module made by hand, which comes from nowhere.
            found = None
        why = "is not found: set PYTHONPATH to the checkout"
        if found:
            origin = Path(found.origin or "nowhere").resolve()
            if origin.parent == checkout / name:
                continue
            why = f"is imported from {origin}: rename that"
        raise ImportError(f"ohmulator runs from its checkout, {checkout}, but {name!r} {why}")
