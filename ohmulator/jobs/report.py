"""Diagnostics of a result as rows of a table, sentences and figures."""

from typing import Any

from rich.console import Console
from rich.table import Table

from golden.tile.diagnostics import Diagnostics


def add_rows(table: Table, diagnostics: Diagnostics) -> None:
    """Add what happened to a result to a table of name and value."""
    high, low = diagnostics.clipped_high.max(), diagnostics.clipped_low.max()
    table.add_row("conversions clipped high, low (worst slice)", f"{high:.2%}, {low:.2%}")
    used = ", ".join(f"{share:.0%}" for share in diagnostics.range_used)
    table.add_row("ADC codes used, slice by slice", used)
    drop = diagnostics.ir_drop
    table.add_row(
        "IR drop of full drive, mean and worst line", f"{drop.mean():.1%}, {drop.max():.1%}"
    )
    if diagnostics.failed is not None:
        failed = diagnostics.failed
        table.add_row("cells off by over half a level", f"{failed.sum()} of {failed.size}")


def print_warnings(console: Console, diagnostics: Diagnostics) -> None:
    """Print a sentence for each way in which the result may mean little."""
    for sentence in diagnostics.warnings():
        console.print(f"warning: {sentence}", style="yellow", soft_wrap=True)


def figures(diagnostics: Diagnostics) -> dict[str, Any]:
    """Return what happened to a result for a JSON file; lists have one share a step."""
    found: dict[str, Any] = {
        "clipped_high": diagnostics.clipped_high.tolist(),
        "clipped_low": diagnostics.clipped_low.tolist(),
        "adc_range_used": diagnostics.range_used.tolist(),
        "ir_drop_mean": float(diagnostics.ir_drop.mean()),
        "ir_drop_worst": float(diagnostics.ir_drop.max()),
        "warnings": diagnostics.warnings(),
    }
    if diagnostics.failed is not None:
        found["cells_failed"] = int(diagnostics.failed.sum())
        found["cells"] = diagnostics.failed.size
    return found
