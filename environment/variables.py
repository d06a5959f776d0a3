"""Choose which of the user's environment variables simulators and compilers see.

A simulator, cocotb and its runner, make and Verilator each obey dozens of variables, some with
names as common as WAVES and SEED. They are given those alone that say where things are on this
machine or how the parent computes.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping

KEPT = {
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP"),
    *("LANG", "LANGUAGE", "TZ"),
    # The parent's progress bars need the terminal's while a simulation runs.
    *("TERM", "COLUMNS", "LINES", "COLORTERM", "NO_COLOR"),
    # Where compilers find headers, libraries and, on macOS, themselves.
    *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH"),
    *("SDKROOT", "DEVELOPER_DIR", "MACOSX_DEPLOYMENT_TARGET"),
}

KEPT_PREFIXES = (
    "LC_",
    "CCACHE_",
    # Model and testbench are to compute alike to the last bit.
    *("NPY_", "OMP_", "OPENBLAS_", "MKL_", "BLIS_", "VECLIB_", "KMP_"),
)

_lock = threading.Lock()
_original: dict[str, str] = {}
_users = 0


def kept(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of some environment variables that every program may see."""
    return {
        name: value
        for name, value in variables.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES)
    }


@contextlib.contextmanager
def replaced(changes: Mapping[str, str]) -> Iterator[None]:
    """Let this process and programs started meanwhile see what is kept, and some changes.

    cocotb's runner reads the environment of the process that it runs in, and hands on all of it.
    Threads may overlap: the original comes back when the last one leaves.
    """
    global _users
    with _lock:
        if not _users:
            _original.clear()
            _original.update(os.environ)
            _set(kept(os.environ))
        _users += 1
        os.environ.update(changes)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _set(_original)


def _set(variables: Mapping[str, str]) -> None:
    # Changed one by one: at no time does a name vanish that is to stay.
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
