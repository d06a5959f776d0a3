"""The pins of the analogue macro."""

from collections.abc import Iterable

from hw.boundary.analog import CellLayout, Mode
from hw.boundary.macro import NAME, Pin, pins
from ohmulator.pages.markdown import table
from spec.config import ChipConfig
from spec.load import load

INVERTIBLE = "solver"
"""Preset whose tiles are shown as loops."""


def document(name: str = "digits") -> str:
    """Return the page, with the widths of a preset or file."""
    config = load(name)
    own = pins(config)
    names = {pin.name for pin in own}
    loops = load(INVERTIBLE, invertible=True)
    cell = ", ".join(
        f"`{key}` {value.offset + value.width - 1}:{value.offset}"
        for key, value in CellLayout(config)
        if value.width
    )
    modes = ", ".join(f"{mode.value} {mode.name}" for mode in Mode.__members__.values())
    parts = [
        "Written from `hw/boundary/analog.py`.",
        "`make verilog TOP=chip ANALOG=blackbox` writes a chip with an instance of the module "
        f"`{NAME}` for each tile, and an empty module of that name, which the macro replaces. "
        "Without ANALOG the same signals are ports of the chip, with the number of the tile: "
        "`analog__0__code`.",
        f"Directions are those of the macro, and widths those of the configuration `{name}`, with "
        f"{config.converters} ADCs. Element 0 of an array stands at its least significant "
        "end.",
        _table(own),
        f"A tile that is `invertible` has these besides; widths are those of `{INVERTIBLE}`.",
        _table(pin for pin in pins(loops) if pin.name not in names),
        f"Modes: {modes}.",
        *_shares(config),
        f"Fields of `analog__cell`: {cell}.",
        "Timing: inputs come straight from flip-flops. " + _entry(config),
    ]
    return "\n\n".join(parts) + "\n"


def _table(some: Iterable[Pin]) -> str:
    rows = [
        [f"`{pin.name}`", "in" if pin.is_input else "out", str(pin.bits), pin.meaning]
        for pin in some
    ]
    return table(["pin", "direction", "bits", "meaning"], rows)


def _entry(config: ChipConfig) -> str:
    """Say when the outputs of the macro are sampled."""
    settled, answers = config.array.settled_sync, config.converter.comparator_sync
    outputs = [("`analog__settled`", settled)]
    if config.converter.searching:
        outputs.append(("`analog__above` and `analog__beyond`", answers))
    else:
        outputs.append(("`analog__found` and `analog__beyond`", 0))
    said = [
        f"{name} pass{'' if ' and ' in name else 'es'} {stages} flip-flops and may change at any "
        "time."
        if stages
        else f"{name} must stand in time before the rising edge."
        for name, stages in outputs
    ]
    said.append(
        "The macro has half a period for them in `constraints/asic.sdc`. Fields of the "
        "configuration give it more cycles, or synchronise: see [the boundary in "
        "time](../explanation/boundary.md)."
    )
    return " ".join(said)


def _shares(config: ChipConfig) -> list[str]:
    """Say which ADC converts what."""
    adc = f"ADC {config.converter.adcs} s + a"
    said = [
        f"In MVM, {adc} converts column {config.forward.groups} a + `analog__select` of slice s"
        + (", and the last ADC the unit column." if config.unit_columns else ".")
    ]
    if config.transposable:
        said.append(
            "In MVM_T the DACs drive the columns, the positive bit line of each with its code and "
            f"the negative one with the opposite voltage, and {adc} converts word line "
            f"{config.transposed.groups} a + `analog__select` of slice s; where there is no such "
            "line its answer has no effect."
        )
    return said
