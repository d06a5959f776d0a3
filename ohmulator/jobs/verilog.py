"""Write Verilog: `make verilog`."""

from collections.abc import Sequence
from pathlib import Path

from environment.files import Outputs
from ohmulator import cli
from ohmulator.jobs import real_array
from spec.errors import require
from spec.load import load, locate
from spec.pace import pace_warning
from spec.real_array import require_real_array
from spec.tops import ANALOG, MEMORIES, STYLES, TOPS, require_analog, require_memories


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("verilog")
    parser.config("digits")
    parser.choice("top", "tile", TOPS, "top level")
    parser.choice("analog", "ports", ANALOG, "stand-in of the arrays")
    parser.choice("memories", "inferred", MEMORIES, "stand-in of the memories")
    parser.choice("style", "fpga", STYLES, "registers with initial values, or without")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="with the array of the model: its weights, a row a line, integers between commas "
        "(default: random ones)",
    )
    parser.seed("of the random weights")
    parser.out("build/{top}-{config}.v", "file to write", "FILE")
    args = parser.read(argv)
    require_analog(args.top, args.analog)
    require_memories(args.top, args.memories)
    config = load(args.config)
    modelled = args.analog == "model"
    require(modelled or args.weights is None, "weights are of an array: take analog model, too")
    files, inputs = {"the Verilog": args.out}, {"the configuration": locate(args.config)}
    weights = None
    if modelled:
        require_real_array(config)
        files |= real_array.files(config, args.out)
    if args.weights is not None:
        inputs["the weights"] = args.weights
        weights = real_array.read_weights(args.weights, config)
    outputs = Outputs(files, inputs)

    from hw.tools.verilog import generate
    from ohmulator.jobs.screen import Screen

    texts = {"the Verilog": generate(config, args.top, args.analog, args.memories, args.style)}
    if modelled:
        texts |= real_array.contents(config, args.out, weights, args.seed)
    outputs.write(texts)
    cli.say(f"wrote {args.out}: top level {args.top}, hardware hash {config.hardware}")
    if modelled:
        programmed = f"random weights of seed {args.seed}" if weights is None else args.weights
        cli.say(f"wrote {files['the array']}: array with {programmed}, and its files of data")
    for warning in (
        pace_warning(config) if args.top.startswith("chip") else "",
        real_array.left_out(config) if modelled else "",
    ):
        if warning:
            Screen().warn(warning)
    return 0
