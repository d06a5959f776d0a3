"""Names of the top levels in Verilog, and of what stands for arrays and memories in them."""

from spec.errors import require, shown

TOPS = "tile", "tile_axi", "tile_uart", "chip", "chip_uart", "chip_traced"
"""Top levels; `tile` has streams of operands and results, others have packets. `chip_traced` is a
chip whose instructions can be watched from outside."""

ANALOG = "ports", "blackbox", "model"
"""What stands for the arrays: ports of the top level, a black box for each tile of a chip, or an
array with `real` inside for the ports of a tile."""

MEMORIES = "inferred", "blackbox"
"""What stands for the memories: arrays of words, or a black box for each memory of a chip."""

STYLES = "fpga", "asic"
"""Kinds of Verilog: registers with initial values, or without."""


def require_memories(top: str, memories: str) -> None:
    """Raise `UserError` unless a top level can have such memories."""
    known = ", ".join(MEMORIES)
    require(memories in MEMORIES, f"memories must be one of {known}, not {shown(memories)}")
    require(
        memories != "blackbox" or top != "tile",
        "the top level tile has no memories that could be black boxes: take memories inferred, or "
        "a chip",
    )


def require_analog(top: str, analog: str) -> None:
    """Raise `UserError` unless a top level can have such arrays."""
    known = ", ".join(ANALOG)
    require(analog in ANALOG, f"analog must be one of {known}, not {shown(analog)}")
    require(
        analog != "blackbox" or top == "chip",
        f"only the top level chip has black boxes, not {top}: take analog ports",
    )
    require(
        analog != "model" or top == "tile",
        f"only the top level tile has an array of the model, not {top}: take analog ports",
    )
