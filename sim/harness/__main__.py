"""Run a job on a simulated design: ``python -m sim.harness LIBRARY MODULE``.

The process has the same exchange of files with `sim.runner` as a simulator with cocotb has.
"""

import importlib
import os
import sys
import time
import traceback
from pathlib import Path
from xml.etree import ElementTree

from sim.exchange import FOLDER_VARIABLE, JOB, OUTCOME, PROGRESS, RESULTS, SIGN, read, save

SIGN_S = 1.0
"""Time after which the next sign of life is given, at the earliest."""


class Life:
    """Give signs of life, and end the process if the one that runs it does not live."""

    def __init__(self, folder: Path):
        self._folder, self._parent, self._given = folder, os.getppid(), 0.0

    def tell(self, done: int) -> None:
        """Leave the number of things that are done."""
        now = time.monotonic()
        if now - self._given >= SIGN_S:
            self._given = now
            (self._folder / SIGN).touch()
            if os.getppid() != self._parent:
                os._exit(1)
        (self._folder / PROGRESS).write_text(str(done))


def main(library: Path, module: str) -> int:
    folder = Path(os.environ[FOLDER_VARIABLE])
    try:
        run = importlib.import_module(module).run
        save(folder / OUTCOME, run(library, read(folder / JOB), folder, Life(folder).tell))
    except Exception as error:
        traceback.print_exc()
        case = ElementTree.Element("testcase")
        ElementTree.SubElement(case, "error", type=type(error).__name__, message=str(error))
        ElementTree.ElementTree(case).write(folder / RESULTS)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
