"""Build generated Verilog for a simulator, once per content, and run testbenches on it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cocotb_tools.runner import get_results, get_runner

from golden.config import ChipConfig
from golden.errors import require
from hw.verilog import generate
from sim.job import JOB_VARIABLE, read, save
from sim.toolchain import Simulator, icarus, verilator

BUILDS = Path("build")
SIMULATORS: dict[str, Callable[[], Simulator]] = {"verilator": verilator, "icarus": icarus}

PORTS = """`verilator_config
public_flat_rw -module "{top}" -var "clk"
public_flat_rw -module "{top}" -var "rst"
public_flat_rw -module "{top}" -var "*__*"
public_flat_rw -module "{top}" -var "counters"
"""
"""Only the ports are visible to cocotb: with every signal public, Verilator is far slower."""

ARGUMENTS = {
    "verilator": ["--no-public-flat-rw", "-Wno-fatal", "-Wno-lint", "--output-split", "20000"],
    # Not SystemVerilog: there, registers get their initial values before anything runs, and logic
    # whose inputs keep them is never evaluated.
    "icarus": ["-g2005"],
}


class SimulationError(RuntimeError):
    """A testbench failed; the message holds the end of its log."""


class Build:
    """A simulator program made from a configuration.

    Parameters
    ----------
    config, top
        What to generate.
    simulator
        `verilator` or `icarus`.
    waves
        Whether it can record all signals of the RTL.

    Raises
    ------
    UserError
        If there is no such top level or simulator, or a program is missing or too old.
    """

    def __init__(self, config: ChipConfig, top: str, simulator: str, *, waves: bool = False):
        known = ", ".join(SIMULATORS)
        require(simulator in SIMULATORS, f"SIM must be one of {known}, not {simulator!r}")
        self._name, self._top, self._waves = simulator, top, waves
        self._tool = SIMULATORS[simulator]()
        self._verilog = generate(config, top)
        seed = f"{simulator} {self._tool.version} {ARGUMENTS[simulator]} {waves} {self._verilog}"
        digest = hashlib.sha256(seed.encode()).hexdigest()[:16]
        self.folder = (BUILDS / simulator / f"{top}-{digest}").absolute()

    def make(self) -> None:
        """Build, unless the same has been built before.

        Raises
        ------
        SimulationError
            If the simulator refuses the Verilog.
        """
        with _locked(self.folder.with_suffix(".lock")):
            if (self.folder / "done").exists():
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            sources = [self.folder / f"{self._top}.v"]
            sources[0].write_text(self._verilog)
            if self._name == "verilator":
                ports = self.folder / "ports.vlt"
                ports.write_text(PORTS.format(top=self._top))
                sources.insert(0, ports)
                self._take_runtime()
            log = self.folder / "build.log"
            with _environment(self._tool.env):
                runner = get_runner(self._name)
                try:
                    runner.build(
                        sources=sources,
                        hdl_toplevel=self._top,
                        build_dir=self.folder,
                        build_args=ARGUMENTS[self._name],
                        timescale=("1ns", "1ps"),
                        waves=self._waves,
                        log_file=log,
                    )
                except Exception as error:
                    raise SimulationError(f"{self._name} failed: {error}\n{_tail(log)}") from None
            if self._name == "verilator":
                self._leave_runtime()
            (self.folder / "done").touch()

    def run(self, module: str, job: Any, on_progress: Callable[[int], None] | None = None) -> Any:
        """Run the testbench `module` on a job and return its outcome.

        `on_progress` is called now and then with the number of products done.

        Raises
        ------
        SimulationError
            If the testbench fails.
        """
        self.make()
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder) as name:
            folder = Path(name)
            save(folder / "job", job)
            log = folder / "run.log"
            runner = get_runner(self._name)
            errors: list[BaseException] = []

            def simulate() -> None:
                try:
                    results = runner.test(
                        test_module=module,
                        hdl_toplevel=self._top,
                        hdl_toplevel_lang="verilog",
                        build_dir=self.folder,
                        test_dir=folder,
                        results_xml=str(folder / "results.xml"),
                        extra_env={JOB_VARIABLE: str(folder), "COCOTB_LOG_LEVEL": "WARNING"},
                        timescale=("1ns", "1ps"),
                        waves=self._waves,
                        log_file=log,
                    )
                    if get_results(results)[1]:
                        raise SimulationError(f"testbench failed:\n{_tail(log)}")
                except BaseException as error:
                    errors.append(error)

            with _environment(self._tool.env):
                thread = threading.Thread(target=simulate)
                thread.start()
                while thread.is_alive():
                    thread.join(0.1)
                    if on_progress:
                        with contextlib.suppress(OSError, ValueError):
                            on_progress(int((folder / "progress").read_text()))
            if errors:
                if isinstance(errors[0], SystemExit):
                    raise SimulationError(f"{self._name} failed:\n{_tail(log)}")
                raise errors[0]
            outcome = read(folder / "outcome")
            for file in (*folder.glob("*.vcd"), *folder.glob("*.gtkw"), *folder.glob("*.fst")):
                shutil.copy(file, self.folder / file.name)
            return outcome

    def _take_runtime(self) -> None:
        """Take over the objects of Verilator's own library from another build.

        They are the same in every build, and take most of the time of a small one.
        """
        later = time.time() + 3600
        for file in self._runtime.glob("*.o"):
            taken = self.folder / file.name
            shutil.copy(file, taken)
            # They do not depend on the makefile that is generated after this, but make is told so.
            os.utime(taken, (later, later))

    def _leave_runtime(self) -> None:
        """Leave those objects for other builds."""
        if not self._runtime.exists():
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                objects = Path(folder) / "objects"
                objects.mkdir()
                for file in self.folder.glob("verilated*.o"):
                    shutil.copy(file, objects)
                with contextlib.suppress(FileExistsError):
                    objects.rename(self._runtime)

    @property
    def _runtime(self) -> Path:
        key = hashlib.sha256(f"{self._tool.version} {self._waves}".encode()).hexdigest()[:8]
        return self.folder.parent / f"runtime-{key}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file: several processes may want the same build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the programs started meanwhile."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _tail(log: Path, lines: int = 30) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
