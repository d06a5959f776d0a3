"""Classify handwritten digits in simulated Verilog: `make run`."""

from collections.abc import Sequence

from environment.files import Content, json_text
from ohmulator import cli
from ohmulator.jobs import digits


@cli.job
def main(argv: Sequence[str]) -> int:
    plan = digits.plan("run", "digits", "out/digits", argv)

    from golden.tile.analog import Analog
    from ohmulator.jobs import classifier, classify, report, waveforms
    from ohmulator.jobs.screen import Screen

    task, screen = classifier.fit(plan.config, plan.seed), Screen()
    foreseen = classify.foresee(Analog.programmed(plan.config, task.weights), task)
    # The same chip as new: its noise begins with the same draws.
    chip = Analog.programmed(plan.config, task.weights)
    with waveforms.temporary_folder() as folder:
        outcome = classify.simulate(plan, screen, task, chip, foreseen.steps, folder)
        figures = classify.figures(plan, task, foreseen, outcome)
        picture = classify.picture(plan.config, task, foreseen, outcome)
        contents: dict[str, Content] = {"the picture": picture, "the figures": json_text(figures)}
        plan.outputs.write(contents | waveforms.found(folder))
    sections = [classify.rows(figures), report.rows(foreseen.diagnostics)]
    screen.table(f"handwritten digits on {plan.source}", sections)
    report.warn(screen, foreseen.diagnostics)
    return classify.verdict(plan, outcome)
