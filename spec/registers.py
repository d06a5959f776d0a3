"""Registers of the chip on AXI4-Lite: identification, state, abort and counters.

Registers are for looking at a chip, and for stopping it, while packets go on; everything else is
done by packets. They have 32 bits, and their addresses are in bytes. Any access but the ones below
is answered with SLVERR and changes nothing; so is a write of only a part of a register.

A performance counter has two registers, the low word first. Reading a low word keeps the high word
of the same cycle for the next read of a high word.
"""

from typing import NamedTuple

from spec.packet import IDENTITY, LINK_COUNTERS


class Register(NamedTuple):
    """A register of 32 bits."""

    summary: str
    writable: bool = False


REGISTER_BYTES = 4

CONTROL = {"abort": 1}
"""Bits of the only register that can be written."""

FIXED_REGISTERS = {
    **dict.fromkeys(IDENTITY, Register("as in the reply to IDENTIFY")),
    "control": Register(
        "reads the state as in the reply to STATUS; writing a 1 to bit 0 aborts the program",
        writable=True,
    ),
    **dict.fromkeys(["position", *LINK_COUNTERS], Register("as in the reply to STATUS")),
}
"""Registers in order, from address 0 on."""

COUNTER_BASE = 0x100
"""Address of the performance counters."""


def address(name: str) -> int:
    """Return the address in bytes of one of `FIXED_REGISTERS`."""
    return list(FIXED_REGISTERS).index(name) * REGISTER_BYTES
