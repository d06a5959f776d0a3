"""Generate Verilog: the same bytes for the same configuration, from any folder."""

from collections.abc import Callable
from functools import partial

from amaranth.back import verilog
from amaranth.lib import wiring

from environment.variables import replaced
from hw.boundary import macro
from hw.tile.tile import Tile
from hw.tools.yosys import refuse_death
from hw.top.axi_chip import AxiChip
from hw.top.uart_chip import UartChip
from spec.config import ChipConfig
from spec.errors import require
from spec.hardware import hardware_values
from spec.tops import require_analog

TOPS: dict[str, Callable[[ChipConfig], wiring.Component]] = {
    "tile": Tile,
    "chip": AxiChip,
    "chip_uart": UartChip,
    "chip_traced": partial(AxiChip, traced=True),
}
"""Top levels by name, those of `spec.tops`."""


def generate(config: ChipConfig, top: str, analog: str = "ports") -> str:
    """Return the Verilog of a top level, headed by what it depends on and the hash of that.

    `analog` says what stands for the arrays: `ports` of the top level, or a `blackbox` inside the
    chip, see `hw.boundary.macro`.

    Raises
    ------
    UserError
        If there is no such top level, or it cannot have the arrays so.
    HelperError
        If Yosys dies.
    """
    require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    require_analog(top, analog)
    blackbox = analog == "blackbox"
    design = AxiChip(config, blackbox=True) if blackbox else TOPS[top](config)
    # Amaranth prefers a Yosys of the system, which writes other bytes in each release.
    with replaced({"AMARANTH_USE_YOSYS": "builtin"}), refuse_death("write Verilog"):
        body = verilog.convert(design, name=top, emit_src=False, strip_internal_attrs=True)
    if blackbox:
        body += macro.stub(config)
    lines = [f"Ohmulator {top}", f"hardware hash {config.hardware}"]
    lines += [f"  {name} = {value}" for name, value in hardware_values(config).items()]
    return "".join(f"// {line}\n" for line in lines) + body
