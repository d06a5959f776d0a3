"""Two Verilog files of one top level side by side: alike at every output in every cycle, or not.

    python -m tests.bench.equivalence OLD.v NEW.v --top chip --config digits --cycles 100000

Both are compiled by Verilator into one program and driven alike: streams with random pauses,
whatever else comes in, such as the answers of comparators, at random, with shares that change every
few hundred cycles. Resets come now and then. The payload of a stream that comes out counts while it
is valid. With `--config`, the commands of chips are sessions of a host (`tests.support.sessions`):
memories written, programs and products run, results and counters read, and damage of every kind;
the replies are counted by type and error. Without it all is random, which suits any component whose
streams are named as Amaranth names them; `--top` is its module.

The hash that stands in a header is part of the identity of a chip; the old one is replaced by the
new one where it occurs. Everything else has to be the same. Exit status 1 if it is not.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from environment.tools import Simulator, verilator
from spec.config import ChipConfig
from spec.load import load
from tests.support.sessions import serial_durations, stream_rows, summary

HARNESS = Path(__file__).with_suffix(".cpp")
FLAGS = ["-Wno-fatal", "-Wno-lint", "--output-split", "20000", "--x-assign", "0"]

NO_RUNTIME = "VM_GLOBAL_FAST= VM_GLOBAL_SLOW="
"""Leaves out the part of Verilator that every program needs: it is compiled once, not for each."""


@dataclass(frozen=True)
class Ports:
    """Ports of a module by name, with their widths; clock and reset aside."""

    inputs: dict[str, int]
    outputs: dict[str, int]

    @classmethod
    def read(cls, verilog: str, top: str) -> "Ports":
        """Find the ports of a module."""
        body = verilog[verilog.index(f"\nmodule {top}(") :]
        body = body[: body.index("\nendmodule")]
        found: dict[str, dict[str, int]] = {"input": {}, "output": {}}
        for kind, high, name in re.findall(
            r"^  (input|output) (?:\[(\d+):0\] )?(\w+) ?;", body, re.MULTILINE
        ):
            found[kind][name] = int(high or 0) + 1
        inputs = {k: v for k, v in sorted(found["input"].items()) if k not in ("clk", "rst")}
        return cls(inputs, dict(sorted(found["output"].items())))

    def streams(self, into: bool) -> dict[str, tuple[str, str, list[str]]]:
        """Return valid, ready and payload of the streams by name, of Amaranth and of AXI."""
        ours, others = (self.inputs, self.outputs) if into else (self.outputs, self.inputs)
        found = {}
        for valid in ours:
            if not valid.endswith("valid"):
                continue
            prefix = valid.removesuffix("valid")
            payload = [p for p in ours if p.startswith(prefix) and p != valid]
            ready = prefix + "ready"
            found[prefix.rstrip("_")] = valid, ready if ready in others else "", payload
        return found


def header(ports: Ports) -> str:
    """Return `ports.h`."""

    def table(name: str, ports: Mapping[str, int]) -> str:
        rows = []
        for port, width in ports.items():
            member = port.replace("__", "___05F")
            rows.append(
                f'{{"{port}", {width}, sizeof(before->{member}), '
                f"&before->{member}, &after->{member}}},"
            )
        return f"    {name} = {{\n        " + "\n        ".join(rows) + "\n    };\n"

    def streams(kind: str, name: str, into: bool) -> str:
        ours, others = (ports.inputs, ports.outputs) if into else (ports.outputs, ports.inputs)
        number = {port: i for i, port in enumerate(ours)}
        answer = {port: i for i, port in enumerate(others)} | {"": -1}
        rows = [
            f'{{"{stream}", {number[valid]}, {answer[ready]}, '
            f"{{{', '.join(str(number[p]) for p in payload)}}}}},"
            for stream, (valid, ready, payload) in ports.streams(into).items()
        ]
        return f"static const std::vector<{kind}> {name} = {{\n" + "\n".join(rows) + "\n};\n"

    lines = [f'{{"{p}", {i}}}' for i, p in enumerate(ports.inputs) if p.endswith("rx")]
    strobes = {p: i for i, p in enumerate(ports.outputs)}
    settlings = [
        f"{{{i}, {strobes[p.removesuffix('settled') + 'strobe']}}}"
        for i, p in enumerate(ports.inputs)
        if p.endswith("settled")
    ]
    traces = [
        f'{{"{p}", {i}, nullptr, true, 0}}' for i, p in enumerate(ports.outputs) if p.endswith("tx")
    ]
    return (
        "static std::vector<Port> inputs, outputs;\n"
        + streams("Source", "sources", True)
        + streams("Sink", "sinks", False)
        + f"static const std::vector<Timeline> timelines = {{{', '.join(lines)}}};\n"
        + f"static const std::vector<Settling> settlings = {{{', '.join(settlings)}}};\n"
        + f"static std::vector<Trace> traces = {{{', '.join(traces)}}};\n"
        + "static void connect() {\n"
        + table("inputs", ports.inputs)
        + table("outputs", ports.outputs)
        + "}\n"
    )


def build(tool: Simulator, verilog: str, top: str, prefix: str, folder: Path) -> Path:
    """Compile Verilog into a library, once per content; return its folder."""
    digest = hashlib.sha256(f"{tool.version} {FLAGS} {prefix} {top} {verilog}".encode())
    target = folder / f"{prefix}-{digest.hexdigest()[:16]}"
    if not (target / "done").exists():
        target.mkdir(parents=True, exist_ok=True)
        source = target / "source.v"
        source.write_text(verilog)
        command = [tool.program, "--cc", "--build", "-O3", *FLAGS, "-CFLAGS", "-O1"]
        command += ["--prefix", prefix, "--top-module", top, "--Mdir", target, source]
        _run(tool, command)
        (target / "done").touch()
    return target


def _run(tool: Simulator, command: Sequence[str | Path]) -> None:
    result = subprocess.run(
        list(map(str, command)),
        env=os.environ | tool.env | {"MAKEFLAGS": f"{tool.env['MAKEFLAGS']} {NO_RUNTIME}"},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise SystemExit((result.stdout + result.stderr)[-4000:])


def link(tool: Simulator, ports: Ports, libraries: Sequence[Path], folder: Path) -> Path:
    """Return the program that drives both libraries."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ports.h").write_text(header(ports))
    include = Path(tool.env.get("VERILATOR_ROOT") or _root(tool)) / "include"
    compiler = ["c++", "-O2", "-std=c++20", f"-I{include}", f"-I{include / 'vltstd'}"]
    runtime = []
    for name in ("verilated", "verilated_threads"):
        runtime.append(folder.parent / f"{name}-{tool.version}.o")
        if not runtime[-1].exists():
            _run(tool, [*compiler, "-c", "-o", runtime[-1], include / f"{name}.cpp"])
    program = folder / "equivalence"
    command = [*compiler, "-o", program, HARNESS, *runtime]
    command += [f"-I{path}" for path in (folder, *libraries)]
    archives = [
        library / f"{prefix}__ALL.a" for library, prefix in zip(libraries, PREFIXES, strict=True)
    ]
    _run(tool, [*command, *archives, "-pthread", "-latomic"])
    return program


PREFIXES = "Vold", "Vnew"


def _root(tool: Simulator) -> str:
    return subprocess.run(
        [tool.program, "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True, check=True
    ).stdout.strip()


def same_hash(old: str, new: str) -> str:
    """Return the old Verilog with the hash of the new one, if both have one in their header."""
    found = [re.search(r"^// \w+ hash ([0-9a-f]{16})$", text, re.MULTILINE) for text in (old, new)]
    if not all(found):
        return old
    numbers = [int(match[1], 16) for match in found if match]
    for shift in (0, 32):
        before, after = (f"32'd{number >> shift & 0xFFFFFFFF}" for number in numbers)
        old = re.sub(rf"{before}\b", after, old)
    return old


def write_stimuli(config: ChipConfig, ports: Ports, cycles: int, seed: int, folder: Path) -> None:
    """Write what the streams of a chip are to transfer."""
    rng = np.random.default_rng(seed)
    for stream in ports.streams(into=True):
        if stream.startswith("s_axis"):
            rows = stream_rows(config, rng, cycles)
            np.array(rows, "<u4").tofile(folder / f"{stream}.rows")
    for name in ports.inputs:
        if name.endswith("rx"):
            durations = serial_durations(config, rng, cycles)
            np.array(durations, "<u4").tofile(folder / f"{name}.durations")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="Verilog file")
    parser.add_argument("new", type=Path, help="Verilog file")
    parser.add_argument("--top", required=True, help="module, of both")
    parser.add_argument("--config", help="preset or file of the chip: drive sessions of a host")
    parser.add_argument("--cycles", type=int, default=100_000, help="clock cycles (100000)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (0)")
    parser.add_argument("--folder", type=Path, default=Path("build/equivalence"), help="for builds")
    arguments = parser.parse_args(argv)
    new = arguments.new.read_text()
    old = same_hash(arguments.old.read_text(), new)
    ports = Ports.read(new, arguments.top)
    if Ports.read(old, arguments.top) != ports:
        print("the ports differ")
        return 1
    print("the bodies are the same" if body(old) == body(new) else "the bodies differ")

    tool = verilator()
    libraries = [
        build(tool, text, arguments.top, prefix, arguments.folder)
        for text, prefix in zip((old, new), PREFIXES, strict=True)
    ]
    folder = arguments.folder / "-".join(library.name for library in libraries)
    program = link(tool, ports, libraries, folder)
    config = load(arguments.config) if arguments.config else None
    if config:
        write_stimuli(config, ports, arguments.cycles, arguments.seed, folder)
    result = subprocess.run([program, str(arguments.cycles), str(arguments.seed), folder])
    if config and arguments.top != "tile":
        print(summary(config, folder))
    return result.returncode


def body(verilog: str) -> str:
    """Return the Verilog without its header."""
    return "".join(line for line in verilog.splitlines(True) if not line.startswith("//"))


if __name__ == "__main__":
    sys.exit(main())
