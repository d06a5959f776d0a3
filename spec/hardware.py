"""Everything of a configuration that the Verilog of the chip depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.framing import BAUD

if TYPE_CHECKING:
    from spec.config import ChipConfig

HARDWARE_FIELDS = {
    "array": ("rows", "columns", "cell_bits", "slices", "mapping", "settled_sync"),
    "converter": ("input_bits", "dac_bits", "adc_bits", "adcs", "comparator_sync"),
    "programming": ("pulse_bits", "pulse_first", "pulse_increment", "pulse_limit"),
    "machine": ("tiles", "lanes", "vector_words", "program_words", "weight_words", "matrices"),
}
"""Fields that the Verilog depends on as they are."""

LOOP_FIELDS = "inv_dac_bits", "inv_adc_bits", "inv_steps", "feedback_bits"
"""Fields of the table `inversion` that it depends on besides where tiles can be loops."""


def hardware_values(config: ChipConfig) -> dict[str, object]:
    """Return what the Verilog depends on, by name.

    Fields that the RTL does not depend on are not in it, such as the physics; of others only what
    the RTL has of them is.
    """
    values: dict[str, object] = {
        name: getattr(getattr(config, table), name)
        for table, names in HARDWARE_FIELDS.items()
        for name in names
    }
    values |= loop_values(config) if config.machine.invertible else {}
    return values | {
        "result_bits": config.result_bits,
        "searching": config.converter.searching,
        "decision_cycles": config.decision_cycles,
        "verify_code": config.verify_code,
        "verify_step": config.verify_step,
        "verify_tolerance": config.verify_tolerance,
        "verify_targets": config.verify_targets,
        "baud_cycles": round(config.machine.clock_hz / BAUD),
    }


def loop_values(config: ChipConfig) -> dict[str, object]:
    """Return what the Verilog of the path of an inversion depends on, by name."""
    inversion = config.inversion
    values: dict[str, object] = {name: getattr(inversion, name) for name in LOOP_FIELDS}
    return values | {
        "loop_cycles": inversion.cycles(config.machine.clock_hz),
        "timed": bool(inversion.inv_timer_s),
        "solution_places": inversion.solution_places,
    }
