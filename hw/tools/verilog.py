"""Generate Verilog: the same bytes for the same configuration, from any folder."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil
from amaranth.hdl import Const, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from environment.variables import replaced
from hw.boundary import macro
from hw.common.memory import memory_stubs
from hw.tile.tile import Tile
from hw.tools.tidy import tidy
from hw.tools.yosys import refuse_death
from hw.top.axi_chip import AxiChip
from hw.top.axi_tile import AxiTile
from hw.top.uart import UartChip, UartTile
from spec.config import ChipConfig
from spec.errors import require, shown
from spec.hardware import hardware_values
from spec.tops import STYLES, require_analog, require_memories

TOPS: dict[str, Callable[[ChipConfig], wiring.Component]] = {
    "tile": Tile,
    "tile_axi": AxiTile,
    "tile_uart": UartTile,
    "chip": AxiChip,
    "chip_uart": UartChip,
    "chip_traced": partial(AxiChip, traced=True),
}
"""Top levels by name, those of `spec.tops`."""

WAIVERS = {
    "WIDTHEXPAND": "Amaranth checks widths, and relies on the rules of Verilog for them",
    "WIDTHTRUNC": "as above",
    "CASEINCOMPLETE": "what no case sets has been set before",
    "CMPCONST": "the width of a configuration may decide a comparison",
    "ASCRANGE": "the number of one thing alone has no bits, [-1:0]",
    "CASEOVERLAP": "of what selects one of several values, one bit is set",
    "UNOPTFLAT": "one part of a signal may depend on another",
    "INITIALDLY": "see `time_zero`",
}
"""Warnings that Verilator gives of the Verilog by itself, and why they are of no interest."""

# Memories lose their initial contents, which no memory of an ASIC has.
SCRIPT = """
read_rtlil <<rtlil
{design}
rtlil
delete t:$meminit_v2
{processes}
memory_collect
opt_clean
attrmap {attributes}
attrmap -modattr {attributes}
write_verilog
""".replace(
    "{attributes}",
    " ".join(
        f"-remove {name}"
        for name in ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
    ),
)

PROCESSES = {"fpga": "proc -nomux -norom", "asic": "proc -norom"}
"""Processes may stay, but they do not run before something changes: at time 0 only `EVENT` does."""

INITIAL = re.compile(r"^  attribute \\init .*\n", re.MULTILINE)
"""Initial value of the register in the line below."""

PRAGMA = re.compile(r"(?:^ *)?\(\* (?:full_case|parallel_case)\b.*? \*\)\s", re.MULTILINE)
"""Promises about cases, which synthesisers take for more than simulators do."""

TRIGGER = re.compile(r"  reg (\\\$auto\$verilog_backend\S+)  = 0;\n")
"""What Yosys lets all processes of a module depend on, and declares with an initial value."""

EVENT = """\
  // Wakes up every process at time 0. Nothing else would where registers have their initial
  // values before anything runs, as from Verilog-2009 on.
  reg time_zero = 1'b0;
  initial time_zero <= 1'b1;
"""


def generate(
    config: ChipConfig,
    top: str,
    analog: str = "ports",
    memories: str = "inferred",
    style: str = "fpga",
) -> str:
    """Return the Verilog of a top level, headed by what it depends on and the hash of that.

    Parameters
    ----------
    config, top
        Configuration, and name of the top level, see `TOPS`.
    analog
        What stands for the arrays: `ports` of the top level, or a `blackbox` inside the chip, see
        `hw.boundary.macro`.
    memories
        What stands for the memories: `inferred` from arrays of words, or a `blackbox` for each,
        see `hw.common.memory`.
    style
        See `convert`.

    Raises
    ------
    UserError
        If there is no such top level, or it cannot have arrays or memories so, or no such style.
    HelperError
        If Yosys dies.
    """
    require(top in TOPS, f"there is no top level {top!r}: take one of {', '.join(TOPS)}")
    require_analog(top, analog)
    require_memories(top, memories)
    require(style in STYLES, f"style must be one of {', '.join(STYLES)}, not {shown(style)}")
    blackbox = analog == "blackbox"
    design = AxiChip(config, blackbox=True) if blackbox else TOPS[top](config)
    body = convert(design, top, style, blackbox_memories=memories == "blackbox")
    if blackbox:
        body += macro.stub(config)
    body += memory_stubs(body)
    lines = [f"Ohmulator {top}", f"hardware hash {config.hardware}"]
    lines += [f"  {name} = {value}" for name, value in hardware_values(config).items()]
    return "".join(f"// {line}\n" for line in lines) + body


@dataclass(frozen=True)
class _Platform:
    """Answer what components ask while they elaborate."""

    blackbox_memories: bool


def convert(
    component: wiring.Component, name: str, style: str = "fpga", *, blackbox_memories: bool = False
) -> str:
    """Return the Verilog of a component as a module with its members as ports, `a__b` for `a.b`.

    It is Verilog-2005, and means the same under later standards. In the style `fpga` registers have
    initial values; in the style `asic` they have none, so that what is not reset begins as X. What
    is constant, such as the ready of a stream that is always ready, is no port.

    Raises
    ------
    HelperError
        If Yosys dies.
    """
    ports = {
        "__".join(map(str, path)): (
            Value.cast(value),
            PortDirection.Input if member.flow == wiring.In else PortDirection.Output,
        )
        for path, member, value in component.signature.flatten(component)
        if not isinstance(Value.cast(value), Const)
    }
    platform = _Platform(blackbox_memories)
    text = rtlil.convert(component, name=name, platform=platform, ports=ports, emit_src=False)
    text = tidy(text)
    if style == "asic":
        text = INITIAL.sub("", text)
    # Amaranth prefers a Yosys of the system, which writes other bytes in each release.
    with replaced({"AMARANTH_USE_YOSYS": "builtin"}), refuse_death("write Verilog"):
        yosys = find_yosys(lambda version: True)
        # Amaranth writes processes that need no conversion, of which Yosys warns.
        body = yosys.run(
            ["-q", "-"],
            SCRIPT.format(design=text, processes=PROCESSES[style]),
            ignore_warnings=True,
        )
    body = PRAGMA.sub("", body)
    modules = re.split(r"(?<=^endmodule\n)", body, flags=re.MULTILINE)
    off = [f"// verilator lint_off {kind} // {reason}\n" for kind, reason in WAIVERS.items()]
    return "".join(
        [
            "// verilator lint_save\n",
            *off,
            *map(_awake, modules),
            "// verilator lint_restore\n",
        ]
    )


def _awake(module: str) -> str:
    """Return a module whose processes run at time 0, under any standard."""
    trigger = TRIGGER.search(module)
    if trigger is None:
        return module
    return TRIGGER.sub(EVENT, module).replace(f"{trigger[1]} ", "time_zero")
