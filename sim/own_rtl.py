"""Put the physics of the model behind a design that is not ours, and watch what it does.

A table says which of its signals is which member of `hw.boundary.analog.AnalogPort`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import cocotb
import numpy as np
from amaranth.hdl import Shape
from amaranth.lib.wiring import Flow
from cocotb.triggers import FallingEdge, ReadOnly

from golden.tile.analog import Analog
from hw.boundary.analog import PRODUCT_MODES, AnalogPort, Mode
from sim.bridge import Bridge
from sim.packing import unpack
from sim.signals import read_bits, read_flag, read_text
from spec.config import ChipConfig
from spec.errors import UserError

Entry = str | int | Sequence[str] | None
"""Signal of a member: its name, `~` before it if it is active low; several names, that of element 0
first; a number, if the design has no such signal and the member never changes; or None, if nobody
listens to an answer of the array."""

OWN = "codes", "codes_valid"
"""Entries beside the members of the boundary: ADC codes that the design found, packed as `trial`,
and the cycle in which they are there, which follows that of the last comparison."""

INVERTED = str.maketrans("01", "10")


class _Joined:
    """Signals that are one member, with the methods of a simulator's handle."""

    def __init__(self, path: str, parts: Sequence[tuple[Any, bool]], bits: Sequence[int]):
        self._path, self._parts, self._bits = path, parts, bits
        self._handle = self

    def text(self) -> str:
        """Return the bits as they are, most significant first; not all need be 0 or 1."""
        texts = [
            text.translate(INVERTED) if low else text
            for text, low in ((read_text(part), low) for part, low in self._parts)
        ]
        return "".join(reversed(texts))

    def get_signal_val_binstr(self) -> str:
        # The monitor tells what is not defined where that matters.
        return re.sub("[^01]", "0", self.text())

    def get_signal_val_long(self) -> int:
        return int(self.get_signal_val_binstr(), 2)

    def set_signal_val_binstr(self, action: int, text: str) -> None:
        for (part, low), bits in zip(self._parts, self._bits, strict=True):
            text, own = text[:-bits], text[-bits:]
            part._handle.set_signal_val_binstr(action, own.translate(INVERTED) if low else own)

    def set_signal_val_int(self, action: int, value: int) -> None:
        self.set_signal_val_binstr(action, f"{value:0{sum(self._bits)}b}")


class _Fixed:
    """A member that never changes, or an answer that goes nowhere."""

    def __init__(self, path: str, bits: int, value: int):
        self._path, self._text, self._value = path, f"{value:0{bits}b}", value
        self._handle = self

    def text(self) -> str:
        """Return the bits, most significant first."""
        return self._text

    def get_signal_val_binstr(self) -> str:
        return self._text

    def get_signal_val_long(self) -> int:
        return self._value

    def set_signal_val_binstr(self, action: int, text: str) -> None:
        """Drop an answer."""

    def set_signal_val_int(self, action: int, value: int) -> None:
        """Drop an answer."""


def mapped(dut: Any, config: ChipConfig, table: Mapping[str, Entry]) -> dict[str, Any]:
    """Return what stands for each member of the boundary, and for `OWN` if they are in the table.

    Raises
    ------
    UserError
        If the table lacks a member or has another, or a signal is missing or has another width;
        all of them are named.
    """
    members = AnalogPort(config).members
    widths = {name: Shape.cast(member.shape).width for name, member in members.items()}
    codes = {"codes": config.converters * config.converter.adc_bits, "codes_valid": 1}
    wrong = []
    if lacking := [name for name in widths if name not in table]:
        wrong.append(f"it lacks {', '.join(lacking)}")
    if unknown := [name for name in table if name not in {*widths, *OWN}]:
        wrong.append(f"{', '.join(unknown)} is no member of AnalogPort")
    if len(own := [name for name in OWN if name in table]) == 1:
        wrong.append(f"{own[0]} needs {' and '.join(OWN)}")
    found = {}
    for name, bits in (widths | codes).items():
        if name in table:
            answers = name in members and members[name].flow is Flow.In
            try:
                found[name] = _signal(dut, name, table[name], bits, answers=answers)
            except UserError as error:
                wrong.append(str(error))
    if wrong:
        raise UserError(f"the table of signals does not fit: {'; '.join(wrong)}")
    return found


def _signal(dut: Any, name: str, entry: Entry, bits: int, *, answers: bool) -> Any:
    if entry is None or isinstance(entry, int):
        if (entry is None) != answers:
            need = "a signal, or None if nobody listens" if answers else "a signal, or a number"
            raise UserError(f"{name} needs {need}")
        value = entry or 0
        if not 0 <= value < 1 << bits:
            raise UserError(f"{name} must be 0 to {(1 << bits) - 1}, not {value}")
        return _Fixed(name, bits, value)
    names = [entry] if isinstance(entry, str) else list(entry)
    parts = [(_find(dut, each.removeprefix("~"), name), each.startswith("~")) for each in names]
    widths = [len(part) for part, _ in parts]
    if sum(widths) != bits:
        raise UserError(f"{name} has {bits} bits, but {', '.join(names)} {sum(widths)}")
    return _Joined(name, parts, widths)


def _find(dut: Any, path: str, member: str) -> Any:
    """Return a signal, which may be an element of an array or inside an instance."""
    found = dut
    try:
        for part in path.split("."):
            part, *indices = re.findall(r"[^\[\]]+", part)
            found = getattr(found, part)
            for index in indices:
                found = found[int(index)]
    except (AttributeError, IndexError, ValueError, TypeError):
        raise UserError(f"the design has no signal {path} (for {member})") from None
    return found


class OwnArray:
    """An array behind a design that is not ours, and monitors of the boundary between them.

    Parameters
    ----------
    dut
        Simulated top level.
    analog
        Physics of its array.
    table
        Entry for each member of `AnalogPort` and, to compare ADC codes, for `OWN`.
    clock, reset
        Names of signals of the design, `~` before one that is active low; rules hold while the
        reset is not active.

    Attributes
    ----------
    conversions
        Conversions whose codes were those of the model.

    Raises
    ------
    UserError
        If the table does not fit, or the ADCs search by themselves.
    """

    def __init__(
        self,
        dut: Any,
        analog: Analog,
        table: Mapping[str, Entry],
        *,
        clock: str = "clk",
        reset: str = "rst",
    ):
        config = analog.config
        if not config.converter.searching:
            raise UserError(
                "ADCs that search by themselves cannot be watched: set conversion_s to 0"
            )
        self._config, self._signals = config, mapped(dut, config, table)
        self._clock = _find(dut, clock, "clock")
        self._reset = _signal(dut, "reset", reset, 1, answers=False)
        self._bridge = Bridge(dut, analog, signals=self._signals, clock=self._clock)
        self._drive: list[str] = []
        self._asked: Any = None
        self._driven = False
        self._cycle = 0
        self.conversions = 0

    def start(self) -> None:
        """Answer and watch for the rest of the test; what breaks a rule fails it."""
        cocotb.start_soon(self._bridge.run())
        cocotb.start_soon(self._watch())

    def check(self, conversions: int) -> None:
        """Assert that so many conversions were compared."""
        assert self.conversions == conversions, (
            f"{self.conversions} conversions were compared, not {conversions}"
        )

    async def _watch(self) -> None:
        edge = FallingEdge(self._clock)
        while True:
            await edge
            await ReadOnly()
            self._cycle += 1
            if read_flag(self._reset):
                self._driven, self._asked = False, None
                continue
            self._check_drive()
            self._check_codes()

    def _check_drive(self) -> None:
        read = {name: read_flag(self._signals[name]) for name in ("strobe", "sample")}
        drive = [self._signals[name].text() for name in ("mode", "code", "step")]
        if read["strobe"]:
            mode = read_flag(self._signals["mode"])
            modes = Mode.__members__.values()
            known = [each.value for each in modes if each in PRODUCT_MODES]
            self._require(mode in known, f"strobe comes with mode {mode}, which makes no product")
            for name, text in zip(("mode", "code", "step"), drive, strict=True):
                self._require(not set(text) - {"0", "1"}, f"{name} is not defined: {text}")
            self._driven, self._drive = True, drive
        elif self._driven:
            for name, text, before in zip(
                ("mode", "code", "step"), drive, self._drive, strict=True
            ):
                why = f"{name} changes from {before} to {text} without a strobe"
                self._require(text == before, why)
        if read["sample"]:
            settled = self._driven and self._bridge.settled
            self._require(settled, "sample comes before the array has settled")

    def _check_codes(self) -> None:
        """Compare the codes that are there with the values asked about in the cycle before."""
        before, self._asked = self._asked, self._bridge.asked
        if "codes" not in self._signals or not read_flag(self._signals["codes_valid"]):
            return
        self._require(before is not None, "codes_valid comes before a conversion")
        adcs, values, select = before
        expected = adcs.convert(values)
        bits = read_bits(self._signals["codes"])
        found = unpack(bits, self._config.converters).astype(np.int64)
        for adc in np.flatnonzero(found != expected)[:1]:
            self._require(
                False,
                f"code of ADC {adc} in group {select} is {found[adc]}, expected {expected[adc]} "
                f"for {values[adc]:g} units",
            )
        self.conversions += 1

    def _require(self, holds: bool, why: str) -> None:
        assert holds, f"cycle {self._cycle}: {why}"
