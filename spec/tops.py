"""Names of the top levels in Verilog, and of what stands for the arrays in them."""

from spec.errors import require, shown

TOPS = "tile", "chip", "chip_uart", "chip_traced"
"""Top levels; `chip_traced` is a chip whose instructions can be watched from outside."""

ANALOG = "ports", "blackbox"
"""What stands for the arrays: ports of the top level, or a black box for each tile of a chip."""


def require_analog(top: str, analog: str) -> None:
    """Raise `UserError` unless a top level can have such arrays."""
    known = ", ".join(ANALOG)
    require(analog in ANALOG, f"analog must be one of {known}, not {shown(analog)}")
    require(
        analog != "blackbox" or top == "chip",
        f"only the top level chip has black boxes, not {top}: take analog ports",
    )
