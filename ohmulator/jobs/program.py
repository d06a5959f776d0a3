"""Program every cell through the Verilog, then classify handwritten digits: `make program`."""

from collections.abc import Sequence

from environment.files import json_text
from ohmulator import cli
from ohmulator.jobs import digits, waveforms

MIN_VERIFY_CODES = 4
"""Codes between two levels of a cell below which write-verify resolves no quarter of a level."""


@cli.job
def main(argv: Sequence[str]) -> int:
    plan = digits.plan(
        "program", "rough", "out/program", argv, {"the picture of the cells": "cells.png"}
    )
    config = plan.config
    config.require_verifiable()

    from golden.array.lines import Array
    from golden.tile import write_verify
    from golden.tile.analog import Analog
    from ohmulator.jobs import classifier, classify, programming, report
    from ohmulator.jobs.screen import Screen

    task, screen = classifier.fit(config, plan.seed), Screen()
    targets = write_verify.targets(config, task.weights)
    programmed = Analog(config, Array(config))
    write_verify.program(programmed, targets)
    foreseen = classify.foresee(programmed, task)
    chip = Analog(config, Array(config))
    with waveforms.folder() as waves:
        outcome = classify.simulate(plan, screen, task, chip, foreseen.steps, waves, targets)
        cells = programming.figures(programmed.array, foreseen.levels, outcome)
        figures = classify.figures(plan, task, foreseen, outcome) | cells
        contents = waveforms.contents(waves) | {
            "the picture": classify.picture(config, task, foreseen, outcome),
            "the picture of the cells": programming.picture(config, foreseen.levels, outcome),
            "the figures": json_text(figures),
        }
        waveforms.write(plan.outputs, contents)

    sections = [
        classify.rows(figures),
        programming.rows(cells),
        report.rows(foreseen.diagnostics),
    ]
    screen.table(f"handwritten digits on {plan.source}", sections)
    report.warn(screen, foreseen.diagnostics)
    if abs(config.verify_code) >> config.verify_step < MIN_VERIFY_CODES:
        screen.warn(
            f"single cells are read with dac_bits={config.converter.dac_bits} and "
            f"adc_bits={config.converter.adc_bits}, too coarse to see a quarter of a level: raise "
            "them"
        )
    return classify.verdict(plan, outcome)
