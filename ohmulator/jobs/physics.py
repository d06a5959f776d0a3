"""Show a chip with the physics of a configuration: `make physics`."""

import math
from collections.abc import Sequence

from environment.files import Outputs, json_text
from ohmulator import cli
from spec.config import ChipConfig
from spec.errors import require
from spec.load import load, locate

SAMPLES, MIN_SAMPLES, MAX_SAMPLES = 32, 4, 1 << 24
"""Samples an LSB of the ramp, the fewest, and bound on those of all ADCs together: 128 MiB."""

PICTURES = "cells", "wires", "adc"


@cli.job
def main(argv: Sequence[str]) -> int:
    parser = cli.Parser("physics")
    parser.config("rough")
    parser.seed("of the weights")
    parser.out("out/physics", "folder for pictures")
    parser.json()
    args = parser.read(argv)
    config = load(args.config)
    ramp = ramp_of(config)
    files = {f"the picture of {name}": args.out / f"{name}.png" for name in PICTURES}
    outputs = Outputs(
        files | {"the figures": args.json}, {"the configuration": locate(args.config)}
    )

    from ohmulator.jobs import measure
    from ohmulator.jobs.random_chip import random_chip
    from ohmulator.jobs.screen import Screen

    screen = Screen()
    with screen.status("programming the chip"):
        chip, levels = random_chip(config, args.seed)
    with screen.status("measuring the chip"):
        found = measure.measure(chip, levels, *ramp)
    with screen.status("drawing"):
        drawn = measure.draw(chip, levels, found)
    figures = {
        "configuration": args.config,
        "hash": config.whole,
        "seed": args.seed,
        **measure.figures(chip, found),
        "pictures": [str(path) for path in files.values()],
    }
    contents = {f"the picture of {name}": drawn[name] for name in PICTURES}
    outputs.write({"the figures": json_text(figures), **contents})
    rows = measure.rows(figures, config.converter.adc_bits)
    screen.table(f"physics of {args.config}, random weights", rows)
    for path in files.values():
        cli.say(f"picture  {path}")
    return 0


def ramp_of(config: ChipConfig) -> tuple[int, int]:
    """Return samples an LSB of a ramp for the ADCs, and its margin in LSB at both ends.

    Raises
    ------
    UserError
        If they have too few codes to have a linearity, or too many for memory.
    """
    bits, errors = config.converter.adc_bits, config.physics.converters
    require(bits >= 2, f"ADCs of adc_bits {bits} have no linearity to measure: take 2 or more")
    half = 1 << (bits - 1)
    # No draw lies six standard deviations off; a bow is the sum of one and half of another.
    largest = errors.adc_offset + errors.adc_gain * half + 1.5 * errors.adc_inl + errors.adc_dnl
    margin = 8 + math.ceil(6 * largest)
    samples = min(SAMPLES, MAX_SAMPLES // (config.converters * 2 * (half + margin)))
    require(
        samples >= MIN_SAMPLES,
        f"a ramp over {config.converters} ADCs of {bits} bits and {margin} codes beyond does not "
        "fit into memory: lower adcs, adc_bits or the errors of the ADCs",
    )
    return samples, margin
