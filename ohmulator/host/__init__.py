"""The host's side: one API to a chip, whatever the chip is and whatever carries the packets."""

from ohmulator.host.carrier import Carrier, ModelCarrier, SerialCarrier, SerialLine
from ohmulator.host.errors import LinkError, MismatchError, ProgramError, RefusedError
from ohmulator.host.framing import Frame
from ohmulator.host.host import ChipStatus, Host

__all__ = [
    "Carrier",
    "ChipStatus",
    "Frame",
    "Host",
    "LinkError",
    "MismatchError",
    "ModelCarrier",
    "ProgramError",
    "RefusedError",
    "SerialCarrier",
    "SerialLine",
]
