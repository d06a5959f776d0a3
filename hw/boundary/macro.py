"""The analogue macro of an ASIC: a black box with the pins of `hw.boundary.analog.AnalogPort`."""

import inspect
import re
from dataclasses import dataclass

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow

from hw.boundary.analog import AnalogPort
from hw.common.blackbox import blackbox
from spec.config import ChipConfig

NAME = "ohmulator_array"
"""Module that the ASIC flow provides, once for all tiles."""

PREFIX = "analog__"
"""Begins the names of its pins, and of the ports of a tile; `cell` alone is a word of Verilog."""


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
    return blackbox(NAME, ((pin.name, pin.is_input, pin.bits) for pin in pins(config)))


def _meanings() -> dict[str, str]:
    """Return the text of each member of `AnalogPort`."""
    text = inspect.cleandoc(AnalogPort.__doc__ or "").partition("-------\n")[2]
    entries = re.findall(r"^(\w+) : .*\n((?:    .*\n?)+)", text, re.MULTILINE)
    return {name: " ".join(lines.split()) for name, lines in entries}
