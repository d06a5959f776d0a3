"""Sizes of files and functions: small files with one concept each."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = "environment", "spec", "golden", "hw", "sim", "ohmulator", "tests"
LONGEST_FILE = 400
LONGEST_FUNCTION = 100
LONGEST_FUNCTION_OF_A_JOB = 60


def files() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the functions of a file and their lines, decorators and docstrings included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield node.name, (node.end_lineno or 0) - first + 1


def test_no_file_is_long():
    long = {
        str(path.relative_to(ROOT)): count
        for path in files()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long


def test_no_function_is_long():
    long = {}
    for path in files():
        is_job = path.is_relative_to(ROOT / "ohmulator" / "jobs")
        most = LONGEST_FUNCTION_OF_A_JOB if is_job else LONGEST_FUNCTION
        for name, count in lengths(path):
            if count > most:
                long[f"{path.relative_to(ROOT)}: {name}"] = count
    assert not long
