"""The mutation run knows the tests of every file, and makes the mutants that it says."""

from pathlib import Path

import pytest

from tests.mutation import __main__ as mutation
from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]


def test_every_file_has_tests():
    files = [path for folder in mutation.FOLDERS for path in (ROOT / folder).rglob("*.py")]
    used = {mutation.block_of(path.relative_to(ROOT)) for path in files if mutants(path)}
    assert used == {*mutation.BLOCKS}
    for block in used:
        assert mutation.tests_of(block)


def test_a_test_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setitem(mutation.BLOCKS, "spec", "unit/test_isa.py unit/test_nothing.py")
    with pytest.raises(FileNotFoundError, match=r"'spec' names tests/unit/test_nothing\.py"):
        mutation.tests_of("spec")


def test_mutants_of_a_line(tmp_path):
    path = tmp_path / "code.py"
    path.write_text('"""Text."""\n\nα = 2\n\n\ndef f(x: int) -> int:\n    return α * x - 1\n')
    made = {(mutant.line, mutant.before, mutant.after) for mutant in mutants(path)}
    assert made == {
        (3, "2", "3"),
        (3, "2", "1"),
        (7, "α * x - 1", "α * x + 1"),
        (7, "α * x - 1", "α * x"),
        (7, "α * x", "α + x"),
        (7, "1", "2"),
        (7, "1", "0"),
    }
    (mutant,) = (each for each in mutants(path) if each.after == "α + x")
    assert mutant.apply(path.read_text()).splitlines()[-1] == "    return (α + x) - 1"


def test_equivalent_mutants_are_mutants_of_the_code_as_it_is():
    files = [path for folder in mutation.FOLDERS for path in (ROOT / folder).rglob("*.py")]
    names = {mutant.name for path in files for mutant in mutants(path)}
    listed = mutation.EQUIVALENT.read_text(encoding="utf-8").splitlines()
    known = {name.replace(f"{ROOT}/", "") for name in names}
    assert [line for line in listed if " => " in line and line not in known] == []
