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
        Why the bridge takes the place of the harness, in a sentence; empty where it does not.

    Raises
    ------
    environment.tools.ToolError
        If a program is missing or too old.
    """

    def __init__(
        self, config: ChipConfig, simulator: str, *, waves: bool = False, programs: bool = False
    ):
        self.note = ""
        # Programming and waveforms of the RTL are work of the bridge alone.
        if simulator == "verilator" and not (waves or programs):
            reason = _obstacle(config)
            simulator = "verilator" if reason else "harness"
            self.note = f"the bridge simulates, which is slower: {reason}" if reason else ""
        self._module = "sim.harness.tile" if simulator == "harness" else "sim.tb_tile"
        self.build = Build(config, "tile", simulator, waves=waves)

    def run(
        self, job: TileJob, on_progress: Callable[[int], None], out: Path | None = None
    ) -> TileOutcome:
        """Run a job; as `Build.run`."""
        outcome: TileOutcome = self.build.run(self._module, job, on_progress, out)
        return outcome


def _obstacle(config: ChipConfig) -> str:
    """Return why the harness cannot simulate products, or nothing if it can."""
    if not config.converter.searching:
        return "the harness has no ADCs that search by themselves (conversion_s)"
    version = SIMULATORS["verilator"]().version
    if _numbers(version) < OLDEST_FOR_HARNESS:
        major, minor = OLDEST_FOR_HARNESS
        return f"the harness needs Verilator {major}.{minor:03} or newer, not {version}"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
