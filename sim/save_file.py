"""Write the save file with which GTKWave opens the waveform of an analogue boundary arranged."""

from typing import TextIO

import numpy as np
from vcd.gtkw import GTKWColor, GTKWFlag, GTKWSave

from spec.config import ChipConfig

FLAGS = ("strobe", "settled", "sample")
"""Signals of one bit that control a drive."""

WIDTH, HEIGHT, NAMES_WIDTH, CURVES_WIDTH = 1500, 980, 330, 1100
"""Pixels of the window, and how wide names and curves are in it."""


def save(
    file: TextIO,
    waveform: str,
    config: ChipConfig,
    period_ns: int,
    rows: list[str],
    cells: list[str],
) -> None:
    """Write the save file of a waveform: drive, conversion and cells, real values as curves.

    Parameters
    ----------
    file
        Open for writing.
    waveform
        Name of the waveform, in the same folder.
    period_ns
        Of the clock.
    rows, cells
        Ends of the names of the recorded word lines ("3") and cells ("1_3_0").
    """
    view = GTKWSave(file)
    _set_window(view, waveform, config, period_ns)
    with view.group("control"):
        for name in ("clk", "mode", *FLAGS):
            view.trace(f"digital.{name}", datafmt="ascii" if name == "mode" else "hex")
        if config.forward.groups > 1:
            view.trace("digital.select", datafmt="dec")
    with view.group("word lines"):
        for row in rows[:2]:
            _curve(view, f"word_V_{row}", f"row {row}, at the driver (V)", GTKWColor.orange)
            if config.physics.wires.resistive:
                _curve(view, f"word_end_V_{row}", f"row {row}, far end (V)", GTKWColor.yellow)
    top = config.array.slices - 1
    for column in range(min(2, config.array.columns)):
        at = f"{top}_{column}"
        with view.group(f"slice {top}, column {column}", closed=column > 0):
            _curve(view, f"column_uA_{at}", "current of the drive (uA)", GTKWColor.green, 4)
            _curve(view, f"held_uA_{at}", "held (uA)", GTKWColor.green, 4)
            if config.converter.searching:
                _curve(view, f"trial_uA_{at}", "compared with (uA)", GTKWColor.yellow, 4)
                view.trace(f"digital.trial_{at}", "trial", datafmt="signed")
                view.trace(f"digital.above_{at}", "held is above")
            else:
                view.trace(f"digital.found_{at}", "code", datafmt="signed")
    with view.group("cells"):
        view.trace("digital.amplitude", "amplitude of pulses", datafmt="dec")
        for cell in cells[:2]:
            slice_, row, line = cell.split("_")
            name = f"slice {slice_}, row {row}, line {line} (uS)"
            _curve(view, f"cell_uS_{cell}", name, GTKWColor.violet)


def _set_window(view: GTKWSave, waveform: str, config: ChipConfig, period_ns: int) -> None:
    """Let the first two products fill the window."""
    view.dumpfile(waveform, abspath=False)
    view.size(WIDTH, HEIGHT)
    view.sst_expanded(False)
    view.signals_width(NAMES_WIDTH)
    forward = config.forward
    shown_ns = (forward.latency_cycles + config.planes * forward.plane_cycles) * period_ns
    # GTKWave's zoom is -log2 of the time units of 200 pixels.
    view.zoom_markers(-float(np.log2(200 * shown_ns / CURVES_WIDTH)))


def _curve(view: GTKWSave, name: str, alias: str, colour: GTKWColor, height: int = 2) -> None:
    flags = GTKWFlag.analog_step | GTKWFlag.analog_fullscale
    view.trace(f"analogue.{name}", alias, colour, "real", extraflags=flags)
    for _ in range(height - 1):
        view.blank(analog_extend=True)
