"""The host's side: one API to a chip, whatever the chip is and whatever carries the packets."""

from ohmulator.host.carrier import Carrier, ModelCarrier, SerialCarrier, SerialLine
from ohmulator.host.device_host import ChipStatus
from ohmulator.host.errors import (
    LinkError,
    MismatchError,
    OperationError,
    ProgramError,
    RefusedError,
)
from ohmulator.host.framing import Frame
from ohmulator.host.host import Host
from ohmulator.host.tile_host import TileHost

__all__ = [
    "Carrier",
    "ChipStatus",
    "Frame",
    "Host",
    "LinkError",
    "MismatchError",
    "ModelCarrier",
    "OperationError",
    "ProgramError",
    "RefusedError",
    "SerialCarrier",
    "SerialLine",
    "TileHost",
]
