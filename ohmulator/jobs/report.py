"""Diagnostics of a result as rows of a table, warnings and figures."""

from typing import Any

from golden.tile.diagnostics import Diagnostics
from ohmulator.jobs.screen import Screen


def rows(diagnostics: Diagnostics) -> list[tuple[str, str]]:
    """Return diagnostics as rows of a table."""
    high, low = diagnostics.clipped_high.max(), diagnostics.clipped_low.max()
    drop = diagnostics.ir_drop
    found = [
        ("conversions clipped high, low (worst slice)", f"{high:.2%}, {low:.2%}"),
        (
            "ADC codes used, slice by slice",
            ", ".join(f"{share:.0%}" for share in diagnostics.range_used),
        ),
        ("IR drop of full drive, mean and worst line", f"{drop.mean():.1%}, {drop.max():.1%}"),
    ]
    if diagnostics.failed is not None:
        failed = diagnostics.failed
        found.append(("cells off by over half a level", f"{failed.sum()} of {failed.size}"))
    return found


def warn(screen: Screen, diagnostics: Diagnostics) -> None:
    """Print a warning for each reason why the result may mean little."""
    for sentence in diagnostics.warnings():
        screen.warn(sentence)


def figures(diagnostics: Diagnostics) -> dict[str, Any]:
    """Return diagnostics for a JSON file; lists have one share an ADC step."""
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
