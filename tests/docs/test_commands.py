"""Commands in pages: targets, jobs and options that exist."""

import functools
import re
import shlex

import pytest

from ohmulator.jobs import JOBS
from ohmulator.pages import commands as pages
from tests.support.pages import PAGES, PROJECT, blocks, name

help_of = functools.cache(pages.help_of)
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")


def commands() -> list[tuple[str, str]]:
    """Return the commands of `make` and `python -m` in all pages, with the page of each."""
    found = []
    for path in PAGES:
        shell = [block.text for block in blocks(path) if block.language == "sh"]
        lines = [line.partition(" #")[0].strip() for text in shell for line in text.splitlines()]
        spans = re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8"))
        found += [
            (name(path), line) for line in lines + spans if re.match(r"make |python -m", line)
        ]
    return sorted(set(found))


def options_of(target: str) -> set[str]:
    """Return the names that a target takes, as `make` alone lists them."""
    line = re.search(rf"^{target}:.*## (.*)$", MAKEFILE, re.MULTILINE)
    assert line, f"there is no target {target}"
    listed = re.search(r"\[(.*)\]", line[1])
    names = set(re.findall(r"([A-Z]+)=", listed[1])) if listed else set()
    alike = re.search(r"\bas (\w+)", listed[1]) if listed else None
    return names | {"PYTHON"} | (options_of(alike[1]) if alike else set())


@pytest.mark.parametrize("page, command", commands())
def test_commands_exist(page, command):
    words = shlex.split(command)
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word]
        if targets == ["JOB"]:
            return
        assert len(targets) == 1, command
        for word in words[1:]:
            if "=" in word:
                assert word.partition("=")[0] in options_of(targets[0]), command
        options_of(targets[0])
    elif words[2] == "ohmulator":
        assert words[3] in {*JOBS, "JOB"}, command
        for word in words[4:]:
            if word.startswith("--") and words[3] != "JOB":
                assert word in help_of(words[3]), command


def test_options_in_capitals_are_those_of_a_target():
    """Lone options such as `COUNT=` in the prose of a page."""
    targets = re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)
    known = set().union(*map(options_of, targets))
    for path in PAGES:
        for option in re.findall(r"`([A-Z]{2,})=[^`]*`", path.read_text(encoding="utf-8")):
            assert option in known, f"{name(path)}: {option}="


def test_every_target_that_runs_a_job_is_described():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE):
        if target in JOBS:
            assert f"`make {target}`" in readme


def test_every_job_is_on_the_page_of_commands():
    page = pages.document()
    for job in JOBS:
        assert f"## {job}\n" in page
        assert help_of(job) in page
