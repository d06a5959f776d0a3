"""Modules that an ASIC flow provides: their pins alone, for tools that want to know them."""

from collections.abc import Iterable


def blackbox(name: str, pins: Iterable[tuple[str, bool, int]]) -> str:
    """Return an empty Verilog module; each pin is its name, whether it is an input, its width."""
    lines = [
        f"  {'input' if is_input else 'output'} {f'[{bits - 1}:0] ' if bits > 1 else ''}{pin}"
        for pin, is_input, bits in pins
    ]
    # Nobody looks inside, but Verilator.
    off = "// verilator lint_off UNDRIVEN\n"
    on = "// verilator lint_on UNDRIVEN\n"
    head, body = f"\n(* blackbox *)\nmodule {name}(\n", ",\n".join(lines)
    return f"{off}{head}{body}\n);\nendmodule\n{on}"
