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
