"""Report the environment of the simulator."""

import os
from pathlib import Path
from typing import Any

from sim.testbench import testbench


@testbench
async def report(dut: Any, job: None, _: Path) -> dict[str, str]:
    """Return the variables that are seen in here."""
    return dict(os.environ)
