"""Build generated Verilog for a simulator, once per content, and run testbenches on it."""

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree

from environment.files import BUILDS
from environment.tools import SIMULATORS, Simulator
from environment.variables import kept
from hw.tools.verilog import generate
from sim.build_steps import run_steps
from sim.exchange import FOLDER_VARIABLE, JOB, OUTCOME, PROGRESS, RESULTS, SIGN, read, save
from sim.failure import BrokenRuleError, failure
from sim.harness.toolchain import Harness
from sim.icarus import Icarus
from sim.made import made
from sim.process import PatienceError, describe, run
from sim.verilator import Verilator
from spec.config import ChipConfig
from spec.errors import UserError, require

PATIENCE_S = 600.0
"""Longest time in seconds in which a simulation may stand still."""

BOUNDARY = "boundary.vcd", "boundary.gtkw"
"""Waveform of the analogue boundary, and its save file."""

ASSERTIONS = {"AssertionError", "LockstepError"}
"""Errors of a testbench that tell of the RTL."""

LONGEST_REASON = 200
"""Characters of a reason that a message repeats."""


class Toolchain(Protocol):
    """Tell how a simulator is built for a top level, and run.

    Attributes
    ----------
    waveform
        File with all signals of the RTL, in the folder of a run.
    tool
        The simulator.
    """

    waveform: str
    tool: Simulator

    def sources(self, config: ChipConfig, verilog: str) -> dict[str, str]: ...

    def prepare(self) -> None: ...

    def build_commands(self) -> list[list[str]]: ...

    def run_command(self, folder: Path, module: str) -> list[str]: ...

    def variables(self, folder: Path, module: str, path: str) -> dict[str, str]: ...


TOOLCHAINS: dict[str, Callable[..., Toolchain]] = {
    "verilator": Verilator,
    "icarus": Icarus,
    "harness": Harness,
}
"""What builds with each simulator, by name; the harness is one of Verilator."""


class Build:
    """A simulator program made from a configuration.

    Parameters
    ----------
    config, top
        What to generate.
    simulator
        One of `TOOLCHAINS`.
    waves
        Whether it records all signals of the RTL.

    Raises
    ------
    UserError
        If there is no such top level or simulator.
    environment.tools.ToolError
        If a program is missing or too old.
    """

    def __init__(self, config: ChipConfig, top: str, simulator: str, *, waves: bool = False):
        known = ", ".join(SIMULATORS)
        require(simulator in TOOLCHAINS, f"SIM must be one of {known}, not {simulator!r}")
        self._simulator, self._top, self._waves = simulator, top, waves
        tool = SIMULATORS["verilator" if simulator == "harness" else simulator]()
        self._toolchain = TOOLCHAINS[simulator](tool, top, waves=waves)
        self._sources = self._toolchain.sources(config, generate(config, top))
        versions = tool.version, importlib.metadata.version("cocotb")
        # The same program may stand elsewhere.
        steps = [[Path(first).name, *rest] for first, *rest in self._toolchain.build_commands()]
        recipe = repr((versions, steps))
        content = repr(sorted(self._sources.items()))
        digest = hashlib.sha256(f"{recipe}{content}".encode()).hexdigest()[:16]
        self.folder = (BUILDS / simulator / f"{top}-{digest}").absolute()

    def make(self) -> None:
        """Build, unless the same has been built before.

        Raises
        ------
        SimulationError
            If the simulator cannot be built.
        UserError
            If its folder cannot be written.
        """

        def build(folder: Path) -> None:
            for name, text in self._sources.items():
                (folder / name).write_text(text)
            commands = self._toolchain.build_commands()
            run_steps(f"{self._top} for {self._simulator}", commands, folder, self._toolchain.tool)

        with _sentence(self.folder):
            self._toolchain.prepare()
            made(self.folder, build)

    def run(
        self,
        module: str,
        job: Any,
        on_progress: Callable[[int], None] = lambda done: None,
        out: Path | None = None,
    ) -> Any:
        """Run the testbench `module` on a job and return its outcome.

        `on_progress` is called now and then with the number of things done. Waveforms are put into
        the folder `out`, or dropped: `boundary.vcd` and `boundary.gtkw` of the analogue boundary,
        `rtl.vcd` (Verilator) or `rtl.fst` (Icarus) of the RTL.

        Raises
        ------
        SimulationError
            If there is no outcome.
        BrokenRuleError
            If an assertion of the testbench fails.
        UserError
            If a file cannot be written.
        """
        self.make()
        runs = (BUILDS / "runs").absolute()
        with _sentence(runs):
            runs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f"{self._top}-", dir=runs) as name:
                folder = Path(name)
                save(folder / JOB, job)
                outcome = self._simulate(module, folder, on_progress)
                if out:
                    self._keep_waveforms(folder, out)
                return outcome

    def _simulate(self, module: str, folder: Path, on_progress: Callable[[int], None]) -> Any:
        def look() -> None:
            with contextlib.suppress(OSError, ValueError):
                on_progress(int((folder / PROGRESS).read_text()))

        log = folder / f"{self._simulator}-{self._top}.log"
        subject = f"the simulation of {self._top} in {self._simulator} failed"
        try:
            status = run(
                self._toolchain.run_command(self.folder, module),
                folder=folder,
                variables=self._variables(module, folder),
                log=log,
                patience_s=PATIENCE_S,
                sign=folder / SIGN,
                on_poll=look,
            )
        except PatienceError:
            raise failure(f"{subject}: it stood still for {PATIENCE_S:g} s", log) from None
        except OSError as error:
            why = f"{subject}: it could not be started: {error.strerror}: remove {self.folder}"
            raise failure(why, log) from None
        kind, reason = _reason(folder / RESULTS)
        if kind in ASSERTIONS:
            raise failure(f"{self._top} breaks a rule of {module}: {reason}", log, BrokenRuleError)
        if kind:
            raise failure(f"{subject}: {kind}: {reason}", log)
        if status:
            raise failure(f"{subject}: {describe(status)}", log)
        try:
            return read(folder / OUTCOME)
        except Exception:
            # A broken pickle may raise anything.
            raise failure(f"{subject}: it left no outcome that can be read", log) from None

    def _variables(self, module: str, folder: Path) -> dict[str, str]:
        """Return the environment of a simulator."""
        tool = self._toolchain.tool
        variables = kept(os.environ) | tool.env
        path = variables.get("PATH", os.defpath)
        return (
            variables
            | {"PYTHONPATH": os.pathsep.join(sys.path), FOLDER_VARIABLE: str(folder)}
            | self._toolchain.variables(folder, module, path)
        )

    def _keep_waveforms(self, folder: Path, out: Path) -> None:
        for name in (*BOUNDARY, self._toolchain.waveform):
            if (folder / name).exists():
                with _sentence(out / name):
                    out.mkdir(parents=True, exist_ok=True)
                    shutil.move(folder / name, out / name)


@contextlib.contextmanager
def _sentence(path: Path) -> Iterator[None]:
    """Make a sentence of the reason why something below a path cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _reason(results: Path) -> tuple[str, str]:
    """Return type and first line of the error with which a testbench ended; empty: none is known.

    The file is missing or incomplete where the simulator ended before the testbench.
    """
    with contextlib.suppress(OSError, ElementTree.ParseError):
        for case in ElementTree.parse(results).iter("testcase"):
            for found in (*case.findall("failure"), *case.findall("error")):
                lines = found.get("message", "").splitlines() or [""]
                return found.get("type", "error"), lines[0][:LONGEST_REASON]
    return "", ""
