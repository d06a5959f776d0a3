"""Recipes for contributors, followed to the letter on a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import PROJECT, Block, apply_patch, blocks

RECIPES = sorted((PROJECT / "docs" / "contributing").glob("add-*.md"))
LEFT_OUT = shutil.ignore_patterns(".*", "build", "out", "__pycache__", "*.egg-info")


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the project, with its environment and what all simulators share."""
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root, ignore=LEFT_OUT)
    (root / ".venv").symlink_to(sys.prefix)
    for runtime in (PROJECT / "build" / "verilator").glob("runtime-*/"):
        shutil.copytree(runtime, root / runtime.relative_to(PROJECT))
    return root


def saved_as(page: str, block: Block) -> str | None:
    """Return the path under which a page says to save a block, before or behind it."""
    lines = page.splitlines()
    before = "\n".join(lines[: block.line - 1]).rpartition("```")[2]
    behind = "\n".join(lines[block.line + block.text.count("\n") + 1 :]).partition("```")[0]
    named = re.search(r"Save this as `([^`]+)`", before) or re.search(
        r"Save it as `([^`]+)`", behind
    )
    return named[1] if named else None


def run(command: str, root: Path) -> str:
    """Run a command in the copy and return what it printed."""
    # The environment is that of the project, and finds its packages unless told otherwise.
    env = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        command, shell=True, cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_recipe_works(recipe, copy):
    page = recipe.read_text(encoding="utf-8")
    found = blocks(recipe)
    changed = []
    assert found, "a recipe is made of blocks"
    for block, following in zip(found, [*found[1:], None], strict=True):
        path = saved_as(page, block)
        if path:
            (copy / path).write_text(block.text, encoding="utf-8")
            changed.append(path)
        elif block.language == "diff":
            apply_patch(copy, block.text)
            changed += re.findall(r"^\+\+\+ b/(.*)$", block.text, re.MULTILINE)
        elif block.language == "sh":
            # `make` would set up an environment: its targets are checked elsewhere.
            commands = [c for c in block.text.splitlines() if not c.startswith("make ")]
            printed = "".join(run(command, copy) for command in commands)
            if following and following.language == "output":
                assert printed == following.text
    python = " ".join(path for path in changed if path.endswith(".py"))
    if python:
        run(f".venv/bin/python -m ruff check {python}", copy)
        run(f".venv/bin/python -m ruff format --check {python}", copy)


def test_a_patch_must_fit(tmp_path):
    (tmp_path / "file").write_text("one\ntwo\none\n")
    head = "--- a/file\n+++ b/file\n@@ there\n"
    apply_patch(tmp_path, f"{head} two\n+three\n-one\n")
    assert (tmp_path / "file").read_text() == "one\ntwo\nthree\n"
    with pytest.raises(AssertionError, match="0 places"):
        apply_patch(tmp_path, f"{head}-four\n+five\n")
    (tmp_path / "file").write_text("one\none\n")
    with pytest.raises(AssertionError, match="2 places"):
        apply_patch(tmp_path, f"{head}-one\n+two\n")
