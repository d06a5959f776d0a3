"""Classify handwritten digits in simulated Verilog: `make run`."""

from collections.abc import Sequence

from environment.files import json_text
from ohmulator import cli
from ohmulator.jobs import digits, waveforms


@cli.job
def main(argv: Sequence[str]) -> int:
    plan = digits.plan("run", "digits", "out/digits", argv)

    from golden.tile.analog import Analog
    from ohmulator.jobs import classifier, classify, report
    from ohmulator.jobs.screen import Screen

    task, screen = classifier.fit(plan.config, plan.seed), Screen()
    foreseen = classify.foresee(Analog.programmed(plan.config, task.weights), task)
    # The same chip as new: its noise begins with the same draws.
    chip = Analog.programmed(plan.config, task.weights)
    with waveforms.folder() as waves:
        outcome = classify.simulate(plan, screen, task, chip, foreseen.steps, waves)
        figures = classify.figures(plan, task, foreseen, outcome)
        contents = waveforms.contents(waves) | {
            "the picture": classify.picture(plan.config, task, foreseen, outcome),
            "the figures": json_text(figures),
        }
        waveforms.write(plan.outputs, contents)

    sections = [classify.rows(figures), report.rows(foreseen.diagnostics)]
    screen.table(f"handwritten digits on {plan.source}", sections)
    report.warn(screen, foreseen.diagnostics)
    return classify.verdict(plan, outcome)
