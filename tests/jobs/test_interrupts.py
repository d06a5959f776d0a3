"""An interrupt ends a job at once, in a word, with nothing written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("job", "after_s"), [("physics", 0.05), ("sweep", 0.05), ("sweep", 0.3), ("sweep", 2.0)]
)
def test_an_interrupt_leaves_no_traceback_and_no_file(tmp_path, job, after_s):
    # The job tells that it has begun, so that Python itself is not what is interrupted.
    code = "import sys; from ohmulator.__main__ import main; print(flush=True); sys.exit(main())"
    running = subprocess.Popen(
        [sys.executable, "-c", code, job],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout and running.stdout.readline() == "\n"
    time.sleep(after_s)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=60)
    assert (running.returncode, out, error) == (130, "", "interrupted\n")
    assert not list(tmp_path.iterdir())
