"""The loop of an inversion as a deck for ngspice, written element by element from its drawing."""

import math
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.array.circuit import Resistances
from golden.array.spice import crossbar
from golden.inverse.limited import CLAMP
from spec.amplifiers import AmplifierPhysics
from spec.physics import WirePhysics

Floats = NDArray[np.float64]


def elements(
    g_s: Floats,
    feedback_s: Floats,
    input_s: float,
    amplifiers: AmplifierPhysics,
    wires: WirePhysics,
    drive_v: Floats,
    offset_v: Floats,
) -> list[str]:
    ohms = Resistances(wires.r_word_ohm, wires.r_bit_ohm, wires.r_driver_ohm, wires.r_sense_ohm)
    lines = crossbar(g_s, ohms)
    rate = 2 * math.pi * amplifiers.gain_bandwidth_hz
    top, gain = amplifiers.saturation_v, amplifiers.open_loop_gain
    for i, feedback in enumerate(feedback_s.tolist()):
        positive, negative = f"out{2 * i}", f"out{2 * i + 1}"
        lines += [
            f"Ve{i} e{i} 0 DC {float(drive_v[i])!r}",
            f"Rin{i} e{i} in{i} {1 / input_s!r}",
            f"Cn{i} in{i} 0 {amplifiers.node_f!r}",
        ]
        if feedback:
            lines.append(f"Rf{i} in{i} {positive} {1 / feedback!r}")
        drawn = f"V(u{i})-min(max(V(u{i}),{-top!r}),{top!r})"
        pull = f"(V(in{i})-({float(offset_v[i])!r})+V(u{i})/{gain!r})"
        # An integrator of 1 nF.
        current = f"1e-9*{rate!r}*(-{pull}-{CLAMP!r}*({drawn}))"
        lines += [f"Cu{i} u{i} 0 1n", f"Bu{i} 0 u{i} I={current}"]
        lines += _output(f"u{i}", positive, i, "p", amplifiers.output_ohm)
        if amplifiers.inverter_hz:
            pole = 2 * math.pi * amplifiers.inverter_hz
            current = f"-1e-9*{pole!r}*(V(z{i})+V({positive}))"
            lines += [f"Cz{i} z{i} 0 1n", f"Bz{i} 0 z{i} I={current}"]
        else:
            lines.append(f"Ez{i} z{i} 0 {positive} 0 -1")
        lines += _output(f"z{i}", negative, i, "q", amplifiers.output_ohm)
    return lines


def _output(source: str, pin: str, i: int, name: str, ohm: float) -> list[str]:
    if not ohm:
        return [f"Eo{name}{i} {pin} 0 {source} 0 1"]
    return [f"Eo{name}{i} o{name}{i} 0 {source} 0 1", f"Ro{name}{i} o{name}{i} {pin} {ohm!r}"]


def operating_point(lines: list[str], size: int) -> Floats:
    """Return the voltages [size] of the positive bit lines."""
    prints = [f"print v(out{2 * i})" for i in range(size)]
    options = ".options reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-20"
    deck = ["* loop", *lines, options, ".control", "set numdgt=15", "op", *prints, "quit", ".endc"]
    with tempfile.TemporaryDirectory() as folder:
        printed = _run(deck, folder)
    values = [line.split("=")[1] for line in printed.splitlines() if line.startswith("v(out")]
    return np.array(values, np.float64)


def transient(lines: list[str], size: int, seconds: float, points: int) -> tuple[Floats, Floats]:
    """Return times [k] in seconds, and voltages [k, size] of the positive bit lines from rest."""
    seconds = float(seconds)
    step = seconds / points
    names = " ".join(f"v(out{2 * i})" for i in range(size))
    options = ".options reltol=1e-6 abstol=1e-15 vntol=1e-9 gmin=1e-20"
    with tempfile.TemporaryDirectory() as folder:
        control = [
            "set wr_singlescale",
            "set numdgt=12",
            f"tran {step!r} {seconds!r} 0 {step!r} uic",
            f"wrdata voltages.data {names}",
            "quit",
        ]
        _run(["* loop", *lines, options, ".control", *control, ".endc"], folder)
        found = np.loadtxt(Path(folder) / "voltages.data")
    return found[:, 0], found[:, 1:]


def _run(deck: list[str], folder: str) -> str:
    (Path(folder) / "loop.sp").write_text("\n".join([*deck, ".end", ""]))
    command = ["ngspice", "-b", "loop.sp"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
