"""The floors of the project, which `lint-imports` holds: it finds an import that runs upwards."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TOOL = Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imports")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    for package in project["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(PROJECT / package, folder / package)
    return folder


def check(folder: Path) -> tuple[int, str]:
    """Return the exit status of the tool in a folder, and what it prints."""
    done = subprocess.run(
        [TOOL, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_imports_run_downwards(copy: Path) -> None:
    status, printed = check(copy)
    assert status == 0 and "2 kept, 0 broken" in printed


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("spec.errors", "environment.files"),
        ("environment.tools", "golden.draws"),
        ("golden.draws", "hw.common.direction"),
        ("hw.common.direction", "golden.draws"),
        ("golden.tile.tile", "sim.job"),
        ("sim.job", "ohmulator.cli"),
        ("ohmulator.host.framing", "ohmulator.compiler.matrix"),
        ("ohmulator.compiler.matrix", "ohmulator.jobs.sweep"),
    ],
)
def test_an_import_that_does_not_is_found(copy: Path, importer: str, imported: str) -> None:
    path = copy.joinpath(*importer.split(".")).with_suffix(".py")
    assert copy.joinpath(*imported.split(".")).with_suffix(".py").exists()
    original = path.read_text()
    try:
        path.write_text(f"{original}\nimport {imported}\n")
        status, printed = check(copy)
    finally:
        path.write_text(original)
    assert status == 1 and f"{importer} -> {imported}" in printed
