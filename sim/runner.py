"""Build generated Verilog for a simulator, once per content, and run testbenches on it."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from environment.files import BUILDS, write_whole
from environment.tools import SIMULATORS, Simulator
from environment.variables import replaced
from hw.tools.verilog import generate
from sim.job import JOB_VARIABLE, read, save
from spec.config import ChipConfig
from spec.errors import UserError, require

# cocotb obeys variables as soon as it is imported.
with replaced({}):
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

PORTS = """`verilator_config
public_flat_rw -module "{top}" -var "clk"
public_flat_rw -module "{top}" -var "rst"
public_flat_rw -module "{top}" -var "*__*"
public_flat_rw -module "{top}" -var "counters"
"""
"""Only the ports are visible to cocotb: with every signal public, Verilator is far slower."""

ARGUMENTS = {
    # Widths are checked by Amaranth, which relies on Verilog's rules for them.
    "verilator": ["--no-public-flat-rw", "-Wno-fatal", "-Wno-lint", "--output-split", "0"],
    # From Verilog-2009 on, initial values of registers do not wake up what depends on them.
    "icarus": ["-g2005"],
}


class SimulationError(UserError):
    """A simulator or testbench failed; the message holds the end of its log."""


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
        If there is no such top level or simulator.
    ToolError
        If a program is missing or too old.
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
            env = dict(self._tool.env)
            sources = [self.folder / f"{self._top}.v"]
            sources[0].write_text(self._verilog)
            if self._name == "verilator":
                ports = self.folder / "ports.vlt"
                ports.write_text(PORTS.format(top=self._top))
                sources.insert(0, ports)
                library = _verilator_runtime(self._tool)
                # Given by way of make's flags, the runner's only way to make.
                flags = f"OPT_FAST=-O1 VM_GLOBAL_FAST= VM_GLOBAL_SLOW= USER_LDLIBS={library}"
                env["MAKEFLAGS"] = f"{env.get('MAKEFLAGS', '')} {flags}"
            log = self.folder / "build.log"
            with replaced(env):
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
            (self.folder / "done").touch()

    def run(
        self,
        module: str,
        job: Any,
        on_progress: Callable[[int], None] | None = None,
        out: Path | None = None,
    ) -> Any:
        """Run the testbench `module` on a job and return its outcome.

        `on_progress` is called now and then with the number of products done. Waveforms are put
        into the folder `out`, or dropped: `boundary.vcd` and `boundary.gtkw` of the analogue
        boundary, `rtl.vcd` (Verilator) or `rtl.fst` (Icarus) of the RTL.

        Raises
        ------
        SimulationError
            If the testbench fails.
        UserError
            If a waveform cannot be written.
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

            with replaced(self._tool.env):
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
            if out:
                self._keep_waveforms(folder, out)
            return outcome

    def _keep_waveforms(self, folder: Path, out: Path) -> None:
        for source, name in (
            (folder / "boundary.vcd", "boundary.vcd"),
            (folder / "boundary.gtkw", "boundary.gtkw"),
            (folder / "dump.vcd", "rtl.vcd"),
            (self.folder / f"{self._top}.fst", "rtl.fst"),
        ):
            if source.exists():
                write_whole(out / name, source.read_bytes())


def _verilator_runtime(tool: Simulator) -> Path:
    """Return the library that every Verilator program needs, built once.

    It is the same for all, and takes longer to compile than most of them.
    """
    folder = (BUILDS / "verilator" / f"runtime-{tool.version}").absolute()
    library = folder / "libverilated.a"
    with _locked(folder.with_suffix(".lock")), replaced(tool.env):
        if (folder / "done").exists():
            return library
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "runtime.v").write_text("module runtime(input clk); endmodule\n")
        flags = ["--cc", "--vpi", "--public-flat-rw", "--trace", "--prefix", "Vruntime"]
        make = ["make", "-j2", "-f", "Vruntime.mk", "OPT_GLOBAL=-O2", "OPT_FAST=-O0"]
        with (folder / "build.log").open("w") as log:
            for command in (
                [str(tool.program), *flags, "-Mdir", str(folder), "runtime.v"],
                [*make, library.name],
            ):
                if subprocess.run(command, cwd=folder, stdout=log, stderr=log).returncode:
                    raise SimulationError(f"verilator failed:\n{_tail(folder / 'build.log')}")
        (folder / "done").touch()
    return library


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file: several processes may want the same build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tail(log: Path, lines: int = 30) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
