"""Generate Verilog: the same bytes for the same configuration, from any folder."""

from amaranth.back import verilog
from amaranth.lib import wiring

from golden.config import ChipConfig
from hw.tile import Tile

TOPS: dict[str, type[wiring.Component]] = {"tile": Tile}
"""Top levels by name."""


def generate(config: ChipConfig, top: str) -> str:
    """Return the Verilog of a top level, headed by the configuration and its hash."""
    text = verilog.convert(TOPS[top](config), name=top, emit_src=False)
    return text
