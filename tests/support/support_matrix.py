"""List what is supported and tested: each fault, mapping and mode.

`docs/reference/support.md` shows this table, and `tests.cosim.test_support_matrix` tests each of
its cells. Run as ``python -m tests.support.support_matrix`` it prints the table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from golden.array.cells import Pulse
from golden.array.lines import Array
from spec.config import ChipConfig
from spec.physics import Physics
from spec.tables import Mapping
from tests.support import configs

MODES = ("model", "co-simulation", "emulator")
NOT_YET = {"emulator"}


@dataclass(frozen=True)
class Effect:
    """A non-ideality: parameters of the physics, and what happens to the programmed array."""

    physics: Physics
    happens: Callable[[Array], None] = field(default=lambda array: None)


def overwrite(array: Array) -> None:
    """Give every cell a few pulses up and let it relax."""
    cells = np.indices(array.cells.shape).reshape(3, -1)
    for _ in range(3):
        array.cells.pulse(*cells, Pulse.SET, 10)
    array.cells.relax()


EFFECTS = {
    "programming error": Effect(Physics.of(seed=1, program_error=0.3)),
    "pulse response, spread from cell to cell": Effect(
        Physics.of(seed=1, pulse_device_spread=0.5), overwrite
    ),
    "pulse response, spread from pulse to pulse": Effect(
        Physics.of(seed=1, pulse_cycle_spread=0.5), overwrite
    ),
    "relaxation": Effect(Physics.of(seed=1, relaxation=0.5), overwrite),
    "read noise": Effect(Physics.of(seed=1, read_noise=0.1)),
    "drift": Effect(
        Physics.of(seed=1, drift=0.05, drift_spread=0.02), lambda array: array.cells.wait(1e6)
    ),
    "cells stuck low": Effect(Physics.of(seed=1, stuck_low=0.2)),
    "cells stuck high": Effect(Physics.of(seed=1, stuck_high=0.2)),
    "cells stuck at any level": Effect(Physics.of(seed=1, stuck_any=0.2)),
    "resistance of word lines": Effect(Physics.of(seed=1, r_word_ohm=200.0, r_driver_ohm=500.0)),
    "resistance of bit lines": Effect(Physics.of(seed=1, r_bit_ohm=200.0, r_sense_ohm=500.0)),
    "curved cells": Effect(Physics.of(seed=1, nonlinearity=8.0)),
    "curved cells and wires": Effect(Physics.of(seed=1, nonlinearity=8.0, r_bit_ohm=200.0)),
    "DAC offset and gain": Effect(Physics.of(seed=1, dac_offset=0.3, dac_gain=0.05)),
    "DAC INL and DNL": Effect(Physics.of(seed=1, dac_inl=0.3, dac_dnl=0.3)),
    "DAC noise": Effect(Physics.of(seed=1, dac_noise=0.2)),
    "ADC offset and gain": Effect(Physics.of(seed=1, adc_offset=2.0, adc_gain=0.05)),
    "ADC INL and DNL": Effect(Physics.of(seed=1, adc_inl=2.0, adc_dnl=3.0)),
    "sense noise": Effect(Physics.of(seed=1, sense_noise=3.0)),
}


def chip(mapping: Mapping, physics: Physics) -> ChipConfig:
    """Return the small chip on which everything is tried."""
    return configs.chip(rows=8, adc_bits=6, mapping=mapping, physics=physics)


def supported(mode: str) -> list[tuple[str, Mapping]]:
    """Return every (effect, mapping) that is supported in a mode, and therefore tested."""
    return (
        [] if mode in NOT_YET else [(effect, mapping) for effect in EFFECTS for mapping in Mapping]
    )


def table() -> str:
    """Return the support matrix as Markdown."""
    works = {mode: set(supported(mode)) for mode in MODES}
    columns = [(mode, mapping) for mode in MODES for mapping in Mapping]
    heads = " | ".join(f"{mode}, {mapping}" for mode, mapping in columns)
    lines = [f"| fault | {heads} |", "| --- |" + " :-: |" * len(columns)]
    for effect in EFFECTS:
        marks = ("yes" if (effect, m) in works[mode] else "not yet" for mode, m in columns)
        lines.append(f"| {effect} | {' | '.join(marks)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
