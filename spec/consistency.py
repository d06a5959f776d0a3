"""Check what fields of a configuration demand of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.advice import CurableError, lower
from spec.errors import UserError, digits, require
from spec.physics import WIRES
from spec.tables import MAX_INTEGER_BITS

if TYPE_CHECKING:
    from spec.config import ChipConfig

MAX_CYCLES = 1e6
"""Most cycles that the array may be driven, or that a write pulse or a conversion may take."""


def require_consistent(config: ChipConfig) -> None:
    """Raise `UserError` if a field is inconsistent with another."""
    columns = config.array.columns
    config.converter._integer("adcs", 1, columns, " (columns)")
    require(
        columns % config.converter.adcs == 0,
        f"adcs must divide columns ({columns}) evenly, not {config.converter.adcs}: take one of "
        f"{', '.join(str(n) for n in range(1, columns + 1) if columns % n == 0)}",
    )
    for name in WIRES:
        ohms, most = getattr(config.physics.wires, name), 1 / config.array.g_max_s
        require(
            ohms <= most,
            f"{name} of {digits(ohms)} ohm isolates the array: it must be at most "
            f"{digits(most)} ohm, the resistance of a cell at g_max_s",
        )
    if config.machine.invertible:
        _require_loops(config)
    nonlinearity, most = config.physics.cells.nonlinearity, 20 / config.converter.v_read_v
    require(
        nonlinearity <= most,
        f"nonlinearity of {digits(nonlinearity)} per volt bends currents by more than a factor "
        f"of e^20 up to v_read_v: it must be at most {digits(most)} per volt",
    )
    _require_cycles(config, "settle_s", config.array.settle_s)
    _require_cycles(config, "pulse_s", config.programming.pulse_s)
    _require_cycles(config, "conversion_s", config.converter.conversion_s)
    if config.worst_result_bits > MAX_INTEGER_BITS:
        raise CurableError(
            f"results need {config.worst_result_bits} bits, more than {MAX_INTEGER_BITS}",
            config,
            lambda _: True,
            {
                "rows": lower(config.array.rows, 1),
                "columns": _multiples(config.converter.adcs, config.array.columns),
                "cell_bits": lower(config.array.cell_bits, 1),
                "slices": lower(config.array.slices, 1),
                "input_bits": lower(config.converter.input_bits, config.converter.dac_bits),
                "dac_bits": lower(config.converter.dac_bits, 1),
                "adc_bits": lower(config.converter.adc_bits, 1),
            },
        )


def _require_cycles(config: ChipConfig, name: str, seconds: float) -> None:
    """Raise `UserError` if a time is too long to be counted in cycles."""
    clock_hz = config.machine.clock_hz
    # A limit below is rounded, and must be accepted.
    if seconds * clock_hz > MAX_CYCLES * (1 + 1e-15):
        raise UserError(
            f"{name} of {digits(seconds)} s is more than a million cycles of clock_hz "
            f"{digits(clock_hz)} Hz: lower {name} to {digits(MAX_CYCLES / clock_hz)} or "
            f"clock_hz to {digits(MAX_CYCLES / seconds)}"
        )


def _multiples(number: int, present: int) -> list[int]:
    """Return the multiples of a number that are less than the present one, largest first."""
    return list(range(number, present, number))[::-1]


def _require_loops(config: ChipConfig) -> None:
    """Raise `UserError` unless the tiles of the chip can be closed to loops."""
    require_invertible(config)
    require(
        config.converter.searching,
        f"an inversion needs ADCs that the periphery searches, but conversion_s is "
        f"{digits(config.converter.conversion_s)} s: set it to 0",
    )
    for name in ("inv_bound_s", "inv_timer_s"):
        _require_cycles(config, name, getattr(config.inversion, name))


def require_invertible(config: ChipConfig) -> None:
    """Raise `UserError` unless a tile can be closed to a loop."""
    rows, columns = config.array.rows, config.array.columns
    require(
        rows == columns,
        f"an inversion needs as many rows as columns, not {rows} and {columns}: make them equal",
    )
    require(
        config.transposable,
        f"an inversion needs the differential mapping, not {str(config.array.mapping)!r}: set "
        "mapping to 'differential'",
    )
    bend = config.physics.cells.nonlinearity
    require(
        bend == 0, f"an inversion needs linear cells, but nonlinearity is {bend:g}: set it to 0"
    )
