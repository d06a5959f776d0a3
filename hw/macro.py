"""The analogue macro of an ASIC: a black box with the pins of `hw.analog.AnalogPort`."""

import inspect
import re
from dataclasses import dataclass

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow

from golden.config import ChipConfig
from hw.analog import AnalogPort, CellLayout, Mode

NAME = "ohmulator_array"
"""Module that the ASIC flow provides, once for all tiles."""

PREFIX = "analog__"
"""Of its pins, as of the ports of a tile; `cell` alone is a word of Verilog."""


@dataclass(frozen=True)
class Pin:
    """A pin of the macro, seen from it; `bits` wide."""

    name: str
    is_input: bool
    bits: int
    meaning: str


def pins(config: ChipConfig) -> list[Pin]:
    """Return the pins of the macro of one tile."""
    meanings = _meanings()
    found = [
        Pin("clk", True, 1, "Clock; all other inputs change after its rising edge."),
        Pin("rst", True, 1, "Reset of the chip, high, synchronous."),
    ]
    for name, member in AnalogPort(config).members.items():
        bits = Shape.cast(member.shape).width
        if bits:
            found.append(Pin(PREFIX + name, member.flow is Flow.Out, bits, meanings[name]))
    return found


def add_macro(m: Module, config: ChipConfig, tile: int, port: wiring.PureInterface) -> None:
    """Put the macro of a tile behind the port of its periphery."""
    connections: dict[str, Value] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
    for pin in pins(config)[2:]:
        signal = getattr(port, pin.name.removeprefix(PREFIX))
        connections[("i_" if pin.is_input else "o_") + pin.name] = Value.cast(signal)
    m.submodules[f"array_{tile}"] = Instance(NAME, **connections)


def stub(config: ChipConfig) -> str:
    """Return the empty Verilog module of the macro, for tools that want to know its pins."""
    lines = [
        f"  {'input' if pin.is_input else 'output'} "
        f"{f'[{pin.bits - 1}:0] ' if pin.bits > 1 else ''}{pin.name}"
        for pin in pins(config)
    ]
    return f"\n(* blackbox *)\nmodule {NAME}(\n" + ",\n".join(lines) + "\n);\nendmodule\n"


def document(config: ChipConfig, name: str) -> str:
    """Return the pin list as Markdown, with the widths of a configuration of some name."""
    rows = [
        f"| `{pin.name}` | {'in' if pin.is_input else 'out'} | {pin.bits} | {pin.meaning} |"
        for pin in pins(config)
    ]
    cell = ", ".join(
        f"`{key}` {value.offset + value.width - 1}:{value.offset}"
        for key, value in CellLayout(config)
        if value.width
    )
    modes = ", ".join(f"{mode.value} {mode.name}" for mode in Mode.__members__.values())
    parts = [
        "# Pins of the analogue macro",
        "Written by `make docs` from `hw/analog.py`.",
        "`make verilog TOP=chip ANALOG=blackbox` writes a chip with an instance of the module "
        f"`{NAME}` for each tile, and an empty module of that name, which the macro replaces. "
        "Without ANALOG the same signals are ports of the chip, with the number of the tile: "
        "`analog__0__code`.",
        f"Directions are those of the macro, and widths those of the configuration `{name}`, with "
        f"{config.converters} converters. Element 0 of an array stands at its least significant "
        "end.",
        "| pin | direction | bits | meaning |\n| --- | --- | --: | --- |\n" + "\n".join(rows),
        f"Modes: {modes}.",
        *_shares(config),
        f"Fields of `analog__cell`: {cell}.",
        "Timing: inputs come from registers. `analog__above` and `analog__beyond` answer within "
        "the cycle, for which `constraints/asic.sdc` gives the macro half a period; "
        "`analog__settled` is sampled at every rising edge.",
    ]
    return "\n\n".join(parts) + "\n"


def _shares(config: ChipConfig) -> list[str]:
    """Say which ADC looks at what."""
    adc = f"ADC {config.adcs} s + a"
    said = [
        f"In MVM, {adc} looks at column {config.forward.groups} a + `analog__select` of slice s"
        + (", and the last ADC at the unit column." if config.unit_columns else ".")
    ]
    if config.transposable:
        said.append(
            "In MVM_T the DACs drive the columns, the positive bit line of each with its code and "
            f"the negative one with the opposite voltage, and {adc} looks at word line "
            f"{config.transposed.groups} a + `analog__select` of slice s; where there is no such "
            "line its answer has no effect."
        )
    return said


def _meanings() -> dict[str, str]:
    """Return what `AnalogPort` says of its members."""
    text = inspect.cleandoc(AnalogPort.__doc__ or "").partition("-------\n")[2]
    entries = re.findall(r"^(\w+) : .*\n((?:    .*\n?)+)", text, re.MULTILINE)
    return {name: " ".join(lines.split()) for name, lines in entries}
