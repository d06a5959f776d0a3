"""Output in pages that takes too long to be made with them."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.pages import PROJECT, blocks

PAGES = PROJECT / "README.md", PROJECT / "docs" / "tutorials" / "first-run.md"


def shown(path):
    """Return what a page says that `make run` prints."""
    (output,) = (block.text for block in blocks(path) if "MATCH" in block.text)
    return output


def test_pages_show_the_same_run():
    assert len({shown(path) for path in PAGES}) == 1


@pytest.mark.slow
def test_pages_show_what_a_run_prints(tmp_path):
    env = os.environ | {"PYTHONPATH": str(PROJECT), "COLUMNS": "80"}
    command = [sys.executable, "-m", "ohmulator", "run"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )

    def lines(text):
        """Return lines without the speed, which is that of the machine."""
        plain = [re.sub(r"(simulated ).*", r"\1", line) for line in text.splitlines()]
        return [line.rstrip() for line in plain]

    assert lines(done.stdout) == lines(shown(PAGES[0]))
