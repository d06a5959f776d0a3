"""Write Verilog: `make verilog`."""

from collections.abc import Sequence

from environment.files import Outputs
from ohmulator import cli
from spec.load import load, locate
from spec.pace import pace_warning
from spec.tops import ANALOG, MEMORIES, STYLES, TOPS, require_analog, require_memories


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("verilog")
    parser.config("digits")
    parser.choice("top", "tile", TOPS, "top level")
    parser.choice("analog", "ports", ANALOG, "stand-in of the arrays")
    parser.choice("memories", "inferred", MEMORIES, "stand-in of the memories")
    parser.choice("style", "fpga", STYLES, "registers with initial values, or without")
    parser.out("build/{top}-{config}.v", "file to write", "FILE")
    args = parser.read(argv)
    require_analog(args.top, args.analog)
    require_memories(args.top, args.memories)
    config = load(args.config)
    outputs = Outputs({"the Verilog": args.out}, {"the configuration": locate(args.config)})

    from hw.tools.verilog import generate
    from ohmulator.jobs.screen import Screen

    verilog = generate(config, args.top, args.analog, args.memories, args.style)
    outputs.write({"the Verilog": verilog})
    cli.say(f"wrote {args.out}: top level {args.top}, hardware hash {config.hardware}")
    if args.top.startswith("chip") and (warning := pace_warning(config)):
        Screen().warn(warning)
    return 0
