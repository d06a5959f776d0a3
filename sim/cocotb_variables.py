"""Tell a simulator with cocotb in it what to run."""

import functools
import os
import sys
from pathlib import Path

import find_libpython
from cocotb_tools import config as cocotb_config

from environment.variables import replaced
from sim.exchange import RESULTS
from spec.errors import require


def cocotb_variables(
    top: str, module: str, folder: Path, path: str, *, trusted: bool
) -> dict[str, str]:
    """Return the variables of a simulator that runs a testbench in a folder.

    `path` is its PATH. Where writes are `trusted`, cocotb does not wait for the simulator to apply
    them.
    """
    return {
        "PATH": os.pathsep.join([path, str(cocotb_config.libs_dir)]),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": _gpi_users(),
        "COCOTB_TOPLEVEL": top,
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TEST_MODULES": module,
        "COCOTB_RESULTS_FILE": str(folder / RESULTS),
        "COCOTB_LOG_LEVEL": "WARNING",
        "COCOTB_TRUST_INERTIAL_WRITES": str(int(trusted)),
    }


@functools.cache
def _gpi_users() -> str:
    """Return the libraries that a simulator loads to run Python and cocotb."""
    path = find_libpython.find_libpython()
    require(path is not None, f"{sys.executable} has no shared library: take another Python")
    # cocotb obeys variables as soon as it is imported.
    with replaced({}):
        return f"{path};{cocotb_config.pygpi_entry_point()}"
