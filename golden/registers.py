"""Registers of the chip on AXI4-Lite: identification, state, abort and counters.

They are for looking at a chip, and for stopping it, while packets go on; everything else is done
by packets.
"""

from golden.packet import IDENTITY, LINK_COUNTERS, STATE

REGISTER_BYTES = 4

CONTROL = {"abort": 1}
"""Bits of the only register that can be written. It reads as `STATE`."""

FIXED_REGISTERS = {
    **{name: f"{name} of the identity" for name in IDENTITY},
    "control": f"reads the state: {', '.join(STATE)}; writing a 1 to bit 0 aborts the program",
    "position": "program counter, of where the last program ended if none runs",
    **LINK_COUNTERS,
}
"""Registers of 32 bits in order, from address 0 on."""

COUNTER_BASE = 0x100
"""Address of the performance counters, 64 bits each, low word first. Reading the low word keeps
the high word of the same cycle for the next read of a high word."""


def address(name: str) -> int:
    """Return the address in bytes of one of `FIXED_REGISTERS`."""
    return list(FIXED_REGISTERS).index(name) * REGISTER_BYTES
