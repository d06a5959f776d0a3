"""Choose what simulates a tile: the harness where it can, and cocotb's bridge everywhere else."""

from collections.abc import Callable
from pathlib import Path

from environment.tools import SIMULATORS
from sim.job import TileJob, TileOutcome
from sim.runner import Build
from spec.config import ChipConfig

OLDEST_FOR_HARNESS = (5, 48)
"""Release of Verilator that the harness is tested with; its library is another in older ones."""


class TileSimulation:
    """A tile in a simulator.

    Parameters
    ----------
    config
        What to generate.
    simulator
        `verilator` or `icarus`.
    waves
        Whether all signals of the RTL are recorded.
    programs
        Whether cells are programmed.

    Attributes
    ----------
    build
        The simulator.
    note
        Why cocotb's bridge simulates under Verilator, in a sentence; empty where the harness does,
        and under Icarus.

    Raises
    ------
    environment.tools.ToolError
        If a program is missing or too old.
    """

    def __init__(
        self, config: ChipConfig, simulator: str, *, waves: bool = False, programs: bool = False
    ):
        self.note = ""
        reason = _obstacle(config, waves=waves, programs=programs)
        if simulator == "verilator" and reason:
            self.note = f"the slower bridge simulates, since {reason}"
        harness = simulator == "verilator" and not reason
        self._module = "sim.harness.tile" if harness else "sim.tb_tile"
        self.build = Build(config, "tile", "harness" if harness else simulator, waves=waves)

    def run(self, job: TileJob, on_progress: Callable[[int], None], out: Path) -> TileOutcome:
        """Run a job; as `Build.run`."""
        if self.build.simulator != "harness":
            outcome: TileOutcome = self.build.run("sim.tb_tile", job, on_progress, out)
            return outcome
        outcomes: list[TileOutcome] = self.build.run(self._module, [job], on_progress, out)
        return outcomes[0]


def _obstacle(config: ChipConfig, *, waves: bool, programs: bool) -> str:
    """Return why the harness cannot simulate a tile under Verilator, or nothing if it can."""
    if programs:
        return "the harness programs no cells"
    if waves:
        return "the harness records no waveform of the RTL"
    if not config.converter.searching:
        return "the harness has no ADCs that search by themselves (conversion_s)"
    version = SIMULATORS["verilator"]().version
    oldest = ".".join(f"{part:03}" for part in OLDEST_FOR_HARNESS)
    if _numbers(version) < OLDEST_FOR_HARNESS:
        return f"Verilator {version} is older than {oldest}, which the harness is tested with"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
