"""Choose the set of packages that set-up installs, for each supported Python: `make lock`.

Each file of `locks` holds the newest versions that `pyproject.toml` allows and that fit together,
as constraints for pip: a constraint installs nothing by itself, so that one file serves runs,
documentation and tests. Any supported Python writes the files of all.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1]
LOCKS = PROJECT / "environment" / "locks"
PYTHONS = "3.11", "3.12", "3.13"

HEADER = "# Tested packages for Python {python}, written by `make lock`: constraints for pip.\n"


def resolve(python: str, wanted: Iterable[str], *options: str) -> dict[str, Any]:
    """Return the metadata of each package, by name, that pip would install for some requirements.

    Raises
    ------
    SystemExit
        If pip finds no such set, with what it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        command += ["--quiet", "--only-binary", ":all:", "--target", folder]
        command += ["--python-version", python, "--report", str(report), *options, *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            sys.exit(f"error: no packages for Python {python}: {'; '.join(said)}")
        found = json.loads(report.read_text())["install"]
    return {canonicalize_name(each["metadata"]["name"]): each["metadata"] for each in found}


def needed(python: str, wanted: Iterable[str], packages: dict[str, Any]) -> dict[str, Requirement]:
    """Return what some requirements and all that they depend on ask for, by name.

    pip evaluates conditions such as `python_version < "3.12"` for the Python that it runs on.
    """
    environment: dict[str, Any] = {**default_environment()}
    environment |= {"python_version": python, "python_full_version": f"{python}.0"}
    found: dict[str, Requirement] = {}
    seen = set()
    left = [(Requirement(each), "") for each in wanted]
    while left:
        requirement, extra = left.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found.setdefault(name, requirement)
        for more in ("", *requirement.extras):
            if name in packages and (name, more) not in seen:
                seen.add((name, more))
                inside = packages[name].get("requires_dist", ())
                left += [(Requirement(each), more) for each in inside]
    return found


def lock(python: str, wanted: Iterable[str], alone: Iterable[str]) -> dict[str, str]:
    """Return the version of each package that is needed on a Python, by name.

    Packages of `alone` come without what they depend on.
    """
    wanted = list(wanted)
    while True:
        packages = resolve(python, wanted)
        names = needed(python, wanted, packages)
        missing = [each for name, each in names.items() if name not in packages]
        if not missing:
            break
        for each in missing:
            each.marker = None
        wanted += map(str, missing)
    packages = {name: packages[name] for name in names}
    packages |= resolve(python, alone, "--no-deps")
    return {name: packages[name]["version"] for name in sorted(packages)}


def main() -> None:
    """Write all lock files, and print what is new in each."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for python in PYTHONS:
        found = lock(python, wanted, project["dependency-groups"]["alone"])
        lines = "".join(f"{name}=={version}\n" for name, version in found.items())
        path = LOCKS / f"python{python}.txt"
        before = path.read_text().splitlines() if path.exists() else []
        path.write_text(HEADER.format(python=python) + lines)
        new = [line for line in lines.splitlines() if line not in before]
        print(
            f"{path.relative_to(PROJECT)}: {len(found)} packages, {len(new)} new", *new, sep="\n  "
        )


if __name__ == "__main__":
    main()
