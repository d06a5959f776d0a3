"""One API to a chip, be it a model, a simulation or a board.

with Host(carrier, config) as host:
    host.write(Space.VECTOR, 0, vector)
    host.run()
    result = host.read(Space.VECTOR, 64, 64)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ohmulator.host.arguments import checked_place, checked_words
from ohmulator.host.carrier import Carrier
from ohmulator.host.device_host import DeviceHost
from ohmulator.host.errors import LinkError, ProgramError
from ohmulator.host.link import LARGEST_WORD, MAX_SECONDS
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS
from spec.errors import require_integer, require_number
from spec.isa import Described, ErrorCode, Space
from spec.packet import Packet, identity

Write = tuple[Space, int, NDArray[np.uint32]]
"""Words for a space, from an address on."""

ABORT_S = 10.0
"""Time in seconds for a program to stop when aborted: no instruction takes as long."""


class Host(DeviceHost):
    """Talk to the chip behind a carrier, see `ohmulator.host.device_host.DeviceHost`."""

    DEVICE = "chip"
    SPACES = Space

    def __init__(
        self, carrier: Carrier, config: ChipConfig, *, timeout_s: float = 1.0, retries: int = 4
    ):
        self._kept: list[Write] = []
        super().__init__(carrier, config, timeout_s=timeout_s, retries=retries)

    def put(self, writes: Sequence[Write]) -> None:
        """Write words to memories that no program changes, in this order, and keep them in mind.

        They are forgotten when a later write touches them, when another host uses the chip, and
        when it is reset.

        Raises
        ------
        UserError
            As `Host.write`.
        RefusedError
            As `Host.write`.
        """
        checked = [
            (*checked_place(Space, space, address, len(words)), checked_words(words))
            for space, address, words in writes
        ]
        self._settle()
        for place in checked:
            self._write(*place)
        self._kept += writes

    def keeps(self, writes: Sequence[Write]) -> bool:
        """Tell whether the chip still has all that these `put` there."""
        self._settle()
        return all(any(write is kept for kept in self._kept) for write in writes)

    def start(self, pc: int = 0) -> None:
        """Start the program at instruction `pc`.

        Raises
        ------
        UserError
            If `pc` is not of 32 bits.
        RefusedError
            If a program runs.
        LinkError
            Also if the chip was used by another host or reset.
        """
        pc = require_integer("pc", pc, 0, LARGEST_WORD)
        self._start(pc)

    def run(self, pc: int = 0, timeout_s: float | None = None) -> None:
        """Run the program at instruction `pc` to its end.

        It is aborted if this call is interrupted, or if it still runs after `timeout_s` seconds.

        Raises
        ------
        UserError
            If an argument is out of range.
        ProgramError
            If it ends otherwise than by HALT.
        RefusedError
            If a program runs already.
        LinkError
            Also if the chip was used by another host or reset, before or meanwhile.
        """
        if timeout_s is not None:
            timeout_s = require_number("timeout_s", timeout_s, 0, MAX_SECONDS, "seconds")
        self.start(pc)
        ended = False
        try:
            ended = self._wait(timeout_s, alone=True)
        finally:
            if not ended:
                self.abort()
        status = self.status()
        self._refuse_disturbed()
        if status.code is not ErrorCode.NONE:
            raise ProgramError(status.code, status.pc)

    def abort(self) -> None:
        """Stop the program, if one runs, and wait until it has stopped.

        Raises
        ------
        LinkError
            Also if it does not stop.
        """
        self._link.ask(Packet.ABORT)
        if not self._wait(ABORT_S):
            raise LinkError("the program did not stop when aborted: reset the chip")

    def _identity(self) -> Sequence[int]:
        return identity(self.config)

    def _counter_names(self) -> Sequence[str]:
        names = [counter.name for counter in CHIP_COUNTERS]
        for tile in range(self.config.machine.tiles):
            names += [f"tile{tile}.{counter.name}" for counter in self.config.machine.tile_counters]
        return names

    def _forget(self) -> None:
        self._kept.clear()

    def _begin_write(self, space: Described) -> None:
        if space is Space.HOLDING:
            # Tiles may hold anything now.
            self._kept.clear()

    def _settle(self) -> None:
        """Ask for the state of the chip, and take note of what it cannot hold any more."""
        self.status()
        self._disturbed = False

    def _write(self, space: Described, address: int, values: NDArray[np.int64]) -> None:
        """Write checked words."""
        end = address + len(values)
        self._kept = [
            kept
            for kept in self._kept
            if kept[0] is not space or kept[1] >= end or kept[1] + len(kept[2]) <= address
        ]
        super()._write(space, address, values)
