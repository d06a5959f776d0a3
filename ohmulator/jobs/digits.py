"""Options of the jobs that classify handwritten digits in simulated Verilog."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from environment.files import BUILDS, Outputs
from environment.tools import verilator
from ohmulator import cli
from ohmulator.jobs import waveforms
from spec.config import ChipConfig
from spec.errors import require
from spec.load import load, locate

PIXELS, CLASSES, WHITE = 64, 10, 16
"""Pixels of an image, their classes, and the value of a white pixel; a black one is 0."""


@dataclass(frozen=True)
class Plan:
    """Hold the orders of a job.

    Attributes
    ----------
    source, config
        Configuration as it was named, and itself.
    seed
        Of the split of the images.
    waves
        Record all products in the waveform.
    outputs
        Files to write: "the picture", "the figures", waveforms, and further ones of the job.
    reproduce
        Command that runs the job again.
    """

    source: str
    config: ChipConfig
    seed: int
    waves: bool
    outputs: Outputs
    reproduce: str


def plan(
    job: str, preset: str, out: str, argv: Sequence[str], more: dict[str, str] | None = None
) -> Plan:
    """Return the plan of a job; `more` are names of further files by their contents.

    Preset and folder `out` are defaults, which `argv` may change.

    Raises
    ------
    UserError
        If something is wrong with the arguments, the configuration, the files or the simulator.
    """
    parser = cli.Parser(job)
    parser.config(preset)
    parser.seed("of the split of the images")
    parser.add_argument("--waves", action="store_true", help="record every product, not just 8")
    parser.out(out, "folder for results")
    parser.json()
    args = parser.read(argv)
    config = load(args.config)
    require_digits(config)
    names = {"the picture": "digits.png"} | (more or {})
    files = {what: args.out / name for what, name in names.items()}
    files |= waveforms.files(args.out) | {"the figures": args.json}
    outputs = Outputs(files, {"the configuration": locate(args.config)}, [BUILDS])
    verilator()
    reproduce = f"make {job} CONFIG={shlex.quote(args.config)} SEED={args.seed}"
    return Plan(args.config, config, args.seed, args.waves, outputs, reproduce)


def require_digits(config: ChipConfig) -> None:
    """Raise `UserError` if a tile is too small for 64 pixels and 10 classes, or holds no pixel."""
    require(
        config.array.rows >= PIXELS and config.array.columns >= CLASSES,
        f"digits need a tile of at least {PIXELS} rows and {CLASSES} columns, not "
        f"{config.array.rows} x {config.array.columns}: take a larger configuration",
    )
    require(
        config.input_range[1] >= 1,
        f"digits need input_bits of 2 or more, not {config.converter.input_bits}",
    )
