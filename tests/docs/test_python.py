"""Python in pages: it runs, and prints what the page says."""

import pytest

from tests.support.pages import PAGES, PROJECT, blocks, name, run_python

WITH_PYTHON = [path for path in PAGES if any(b.language == "python" for b in blocks(path))]


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name)
def test_python_runs_and_prints_what_the_page_says(path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    for block, printed, shown in run_python(path):
        expected = shown.text if shown else ""
        assert printed == expected, f"{name(path)}:{block.line} prints\n{printed}"


def test_outputs_stand_behind_code():
    for path in PAGES:
        languages = [block.language for block in blocks(path)]
        for before, language in zip(["", *languages], languages, strict=False):
            assert language != "output" or before in ("python", "sh"), name(path)
