"""Mark tests that need a program which may be missing: skipped here, a failure in CI."""

import shutil

import pytest

from environment.tools import ToolError, icarus


def _missing_icarus() -> str:
    try:
        icarus()
    except ToolError as error:
        return str(error)
    return ""


def _missing_ngspice() -> str:
    if shutil.which("ngspice"):
        return ""
    return "ngspice is missing: install it (Debian and Ubuntu: sudo apt-get install ngspice)"


def _needs(missing: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(missing), reason=missing)


needs_icarus = _needs(_missing_icarus())
needs_ngspice = _needs(_missing_ngspice())
