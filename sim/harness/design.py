"""Write what stands between a generated design and `harness.cpp`: a module and a header.

The module drives inputs at the falling edge of the clock, where Verilator works out once what
follows from all of them; as inputs of the top, it would do so in every evaluation. Of the answers
of comparators more follows than of all others: where they can be had within the evaluation of the
rising edge, they are. The header has the sizes of the boundary, and where each port is found.
"""

import re
from dataclasses import dataclass

from spec.config import ChipConfig

MOST_TABLED = 1 << 20
"""Thresholds up to which those of an ADC step are handed over together: 8 MB."""


@dataclass(frozen=True)
class Pin:
    """A port of a top level, `bits` wide."""

    name: str
    is_input: bool
    bits: int


def pins(verilog: str, top: str) -> list[Pin]:
    """Return the ports of a top level, its clock left out, as its Verilog declares them."""
    body = verilog[verilog.index(f"module {top}(") :]
    body = body[: body.index("endmodule")]
    found = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", body, re.MULTILINE)
    return [
        Pin(name, direction == "input", int(high or 0) + 1)
        for direction, high, name in found
        if name != "clk"
    ]


def module(config: ChipConfig, top: str, pins: list[Pin]) -> str:
    """Return the module `harness` around a top level: port number n is `p<n>`.

    Where comparators answer within the cycle, it asks for their answers itself.
    """
    ports, body, connections = ["  input clk"], [], ["    .clk(clk)"]
    answers = _answered(pins) if direct(config) else {}
    for number, pin in enumerate(pins):
        wire = f"p{number}"
        if pin.name in answers:
            wire = answers[pin.name]
        elif pin.is_input:
            wire = f"r{number}"
            body.append(f"  reg {_range(pin.bits)}{wire};")
            body.append(f"  always @(negedge clk) {wire} <= p{number};")
        direction = "input" if pin.is_input else "output"
        if pin.name not in answers:
            ports.append(f"  {direction} {_range(pin.bits)}p{number}")
        connections.append(f"    .{pin.name}({wire})")
    if answers:
        body += _comparators(config, pins)
    return "\n".join(
        [
            f"module harness(\n{_joined(ports)}\n);",
            *body,
            f"  {top} dut(\n{_joined(connections)}\n  );",
            "endmodule\n",
        ]
    )


def _answered(pins: list[Pin]) -> dict[str, str]:
    """Return the wire for each port that answers a comparator."""
    names = [f"{prefix}{answer}" for prefix in prefixes(pins) for answer in ("above", "beyond")]
    return {name: f"{name}_answer" for name in names}


def _comparators(config: ChipConfig, pins: list[Pin]) -> list[str]:
    """Return the lines that ask for the answers of all tiles."""
    number = {pin.name: f"p{i}" for i, pin in enumerate(pins)}
    asked = 32 * trial_words(config)
    answered = 64 * -(-config.converters // 64)
    lines = [
        '  import "DPI-C" function void harness_answer(input int tile, input int unsigned select,',
        f"    input bit [{asked - 1}:0] trial, input bit turn,",
        f"    output bit [{answered - 1}:0] above, output bit [{answered - 1}:0] beyond);",
    ]
    for tile, prefix in enumerate(prefixes(pins)):
        sample, select, trial = (
            number[f"{prefix}{name}"] for name in ("sample", "select", "trial")
        )
        padding = asked - config.converters * config.converter.adc_bits
        words = f"{{{padding}'d0, {trial}}}" if padding else trial
        lines += [
            # Values that are held anew are asked about anew.
            f"  reg turn{tile} = 0;",
            f"  always @(posedge clk) if ({sample}) turn{tile} <= ~turn{tile};",
            f"  bit [{answered - 1}:0] above{tile}, beyond{tile};",
            f"  always @* harness_answer({tile}, {select}, {words}, turn{tile},",
            f"    above{tile}, beyond{tile});",
        ]
        for answer in ("above", "beyond"):
            lines.append(
                f"  wire {_range(config.converters)}{prefix}{answer}_answer = "
                f"{answer}{tile}[{config.converters - 1}:0];"
            )
    return lines


def header(config: ChipConfig, pins: list[Pin]) -> str:
    """Return what `harness.cpp` must know of a design."""
    sizes = {
        "ADC_BITS": config.converter.adc_bits,
        "ADCS": config.converter.adcs,
        "CONVERTERS": config.converters,
        "GROUPS": max(direction.groups for direction in config.directions),
        "STEPS": config.steps,
        "STEP_BITS": config.step_bits,
        "TRIAL_BYTES": 4 * trial_words(config),
        "TABLED": int(tabled(config)),
        "DIRECT": int(direct(config)),
        "PATIENCE": config.converter.comparison_cycles - 1,
    }
    answers = _answered(pins) if direct(config) else {}
    table = (
        f'        {{"{pin.name}", {pin.bits}, sizeof top.p{number}, (uint8_t*)&top.p{number}}},'
        for number, pin in enumerate(pins)
        if pin.name not in answers
    )
    return "\n".join(
        [
            "#pragma once",
            '#include "Vharness.h"',
            "#include <cstddef>",
            "#include <cstdint>",
            "#include <string>",
            "#include <vector>",
            *(f"constexpr int {name} = {value};" for name, value in sizes.items()),
            "struct Port { const char* name; unsigned bits; size_t bytes; uint8_t* at; };",
            "inline std::vector<Port> design_ports(Vharness& top) {",
            "    return {",
            *table,
            "    };",
            "}\n",
        ]
    )


def prefixes(pins: list[Pin]) -> list[str]:
    """Return the beginnings of the names of the boundaries of all tiles."""
    return [pin.name.removesuffix("strobe") for pin in pins if pin.name.endswith("__strobe")]


def tabled(config: ChipConfig) -> bool:
    """Return whether the thresholds of all codes are known to `harness.cpp`."""
    return config.converters << config.converter.adc_bits <= MOST_TABLED


def direct(config: ChipConfig) -> bool:
    """Return whether comparators are answered while the design is evaluated."""
    return tabled(config) and config.converter.comparison_cycles == 1


def trial_words(config: ChipConfig) -> int:
    """Return the words of 32 bits for the trial codes of a tile."""
    return -(-config.converters * config.converter.adc_bits // 32)


def _range(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""


def _joined(lines: list[str]) -> str:
    return ",\n".join(lines)
