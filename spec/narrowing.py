"""Advice on configurations whose results are too wide."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from spec.tables import MAX_INTEGER_BITS

if TYPE_CHECKING:
    from spec.config import ChipConfig


def narrowing(config: ChipConfig) -> str:
    """Name the fields of which one, lowered alone, makes the results narrow enough, and how far.

    Where no single one does, name those that make them narrower at all.
    """
    floors = {
        "rows": ("array", 1),
        "columns": ("array", 1),
        "cell_bits": ("array", 1),
        "slices": ("array", 1),
        "input_bits": ("converter", config.converter.dac_bits),
        "dac_bits": ("converter", 1),
        "adc_bits": ("converter", 1),
    }
    cures, helps = [], []
    for name, (table, floor) in floors.items():
        present = getattr(getattr(config, table), name)
        for value in range(present - 1, floor - 1, -1):
            bits = _changed(config, table, name, value).worst_result_bits
            if bits <= MAX_INTEGER_BITS:
                cures.append(f"{name} to {value}")
                break
            if bits < config.worst_result_bits and name not in helps:
                helps.append(name)
    if cures:
        return f"lower {' or '.join(cures)}"
    return f"lower {' and '.join(helps)}"


def _changed(config: ChipConfig, table: str, name: str, value: int) -> ChipConfig:
    """Return a configuration with one field changed, unchecked."""
    inside = copy.copy(getattr(config, table))
    object.__setattr__(inside, name, value)
    other: ChipConfig = object.__new__(type(config))
    other.__dict__.update({each: getattr(config, each) for each in config.TABLES})
    other.__dict__[table] = inside
    return other
