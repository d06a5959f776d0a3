"""Sessions of a host with a simulated chip; they run inside the simulator."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from golden.isa import SCALARS, Opcode, Space
from sim.lockstep import MismatchError
from sim.tb_chip import SimulatedChip
from tests.programs import Scenario, scenarios

LIMIT = 40
"""Instructions of a program that are followed at most."""


def prepare(chip: SimulatedChip, scenario: Scenario) -> None:
    """Reset the chip, and bring all of its memories to what the scenario says."""
    chip.reset()
    chip.host.write(Space.PROGRAM, 0, np.zeros(2 * chip.config.program_words, np.int64))
    chip.host.write(Space.SCALAR, 0, np.zeros(2 * SCALARS, np.int64))
    for write in scenario.writes():
        chip.host.write(*write)


def random_programs(chip: SimulatedChip, examples: int) -> tuple[str, int, set[Opcode], set[int]]:
    """Follow random programs; return the first difference, shrunk to a small program, how many
    instructions were followed, and which opcodes and error codes were met.
    """
    total = 0
    opcodes: set[Opcode] = set()
    codes: set[int] = set()

    @given(scenarios(chip.config))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    def follow(scenario: Scenario) -> None:
        nonlocal total
        prepare(chip, scenario)
        seen = chip.lockstep
        try:
            chip.follow(LIMIT)
            for space in (Space.VECTOR, Space.SCALAR, Space.DESCRIPTOR, Space.HOLDING):
                # The carrier compares what comes with the model.
                chip.host.read(space, 0, len(seen.model._spaces[space]))
            chip.host.counters()
        finally:
            total += seen.instructions
            opcodes.update(seen.opcodes)
            codes.update(seen.codes)

    try:
        follow()
    except MismatchError as error:
        return "\n".join([str(error), *getattr(error, "__notes__", [])]), total, opcodes, codes
    return "", total, opcodes, codes
