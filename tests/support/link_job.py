"""Tell a testbench of a link what to do."""

from dataclasses import dataclass

from spec.config import ChipConfig


@dataclass(frozen=True)
class LinkJob:
    """A session on a link that is disturbed now and then.

    On AXI `disturbed` is the share of cycles in which a channel pauses, on the serial line that of
    bytes which arrive with a fault. `rate` is that of the host's serial line (1: the chip's).
    """

    config: ChipConfig
    disturbed: float = 0.0
    seed: int = 0
    rate: float = 1.0
