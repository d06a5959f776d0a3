"""A skipped test is a failure in CI, however it is skipped, and nowhere else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

FILES = {
    "mark": "@pytest.mark.skipif(True, reason='no program')\ndef test(): pass",
    "call": "def test(): pytest.skip('no program')",
    "module": "def test(): pytest.importorskip('no_module')",
    "file": "pytest.importorskip('no_module')\ndef test(): pass",
    "expected": "@pytest.mark.xfail\ndef test(): assert False",
    "good": "def test(): pass",
}


@pytest.mark.parametrize(
    ("ci", "counts"),
    [
        ("", {"passed": 1, "xfailed": 1, "skipped": 4}),
        ("true", {"passed": 1, "xfailed": 1, "failed": 2, "errors": 2}),
    ],
)
def test_what_is_skipped_fails_in_ci_alone(tmp_path: Path, ci: str, counts: dict[str, int]) -> None:
    for name, text in FILES.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{text}\n")
    options = ["-p", "tests.conftest", "--rootdir", ".", "--continue-on-collection-errors"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "."],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1]
    assert {word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", last)} == counts
    assert done.returncode == (1 if ci else 0)
    assert not ci or "a failure in CI: Skipped: no program" in done.stdout
