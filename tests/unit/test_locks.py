"""Lock files, workflow and `pyproject.toml` name the same Pythons, packages and commands."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from environment import lock

PROJECT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
WORKFLOW = (PROJECT / ".github" / "workflows" / "test.yml").read_text()


def requirements() -> list[Requirement]:
    """Return all that `pyproject.toml` asks set-up for."""
    project = PYPROJECT["project"]
    lists = [PYPROJECT["build-system"]["requires"], project["dependencies"]]
    lists += [*project["optional-dependencies"].values(), PYPROJECT["dependency-groups"]["alone"]]
    return [Requirement(each) for some in lists for each in some]


def test_each_supported_python_has_a_lock_file() -> None:
    supported = SpecifierSet(PYPROJECT["project"]["requires-python"])
    minors = [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}" in supported]
    assert list(lock.PYTHONS) == minors
    assert {path.name for path in lock.LOCKS.iterdir()} == {f"python{each}.txt" for each in minors}
    (matrix,) = re.findall(r"python: \[(.*)\]", WORKFLOW)
    assert re.findall(r'"(.*?)"', matrix) == minors


@pytest.mark.parametrize("python", lock.PYTHONS)
def test_a_lock_file_holds_an_allowed_version_of_each_package(python: str) -> None:
    lines = (lock.LOCKS / f"python{python}.txt").read_text().splitlines()[1:]
    # Nothing of the machine or the index that they were chosen on.
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    versions = dict(line.split("==") for line in lines)
    for each in requirements():
        assert versions[canonicalize_name(each.name)] in each.specifier, each


def test_ci_runs_what_a_contributor_runs() -> None:
    commands = re.findall(r"^make \w+", (PROJECT / ".ci" / "run").read_text(), re.MULTILINE)
    assert commands == ["make test", "make check"]
    assert re.findall(r"run: (make \w+)", WORKFLOW) == commands


CONDITIONAL = {
    "top": {"requires_dist": ['old; python_version < "3.12"', 'more; extra == "all"']},
    "old": {"requires_dist": ["older>=1"]},
    "more": {},
}


@pytest.mark.parametrize(
    ("python", "wanted", "names"),
    [
        ("3.11", "top", {"top", "old", "older"}),
        ("3.12", "top", {"top"}),
        ("3.12", "top[all]", {"top", "more"}),
        ("3.13", 'top; python_version < "3.13"', set()),
    ],
)
def test_conditions_are_those_of_the_other_python(
    python: str, wanted: str, names: set[str]
) -> None:
    assert set(lock.needed(python, [wanted], CONDITIONAL)) == names
