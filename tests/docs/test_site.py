"""The site: it builds without a warning and asks no other host for anything."""

import re
import subprocess
import sys

import pytest

from ohmulator.jobs import docs
from tests.support.pages import PROJECT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of a site that was built."""
    out = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "ohmulator", "docs", "--out", str(out)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote {out / 'index.html'}\n"
    return out


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = r"""<(?:script|img|iframe)[^>]*\bsrc=["'](.*?)["']|<link[^>]*href=["'](.*?)["']"""
    for page in site.rglob("*.html"):
        for source in map("".join, re.findall(loaded, page.read_text(encoding="utf-8"))):
            assert not re.match("(https?:)?//", source), f"{page.name} loads {source}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(.?https?:|@import", sheet.read_text(encoding="utf-8")), sheet


def test_equations_and_diagrams_are_drawn_in_the_page(site):
    page = (site / "explanation" / "physics.html").read_text(encoding="utf-8")
    assert page.count('<svg class="equation"') > 20
    assert '<figure class="diagram' in page and "r_driver_ohm" in page
    assert r"\(" not in re.sub(r'aria-label="[^"]*"', "", page)


def test_public_names_have_a_place(site):
    page = (site / "reference" / "api" / "ohmulator.html").read_text(encoding="utf-8")
    assert 'id="ohmulator.Chip"' in page and 'id="ohmulator.Chip.matrix"' in page


def test_generated_pages_are_linked_from_others(site):
    machine = (site / "reference" / "machine.html").read_text(encoding="utf-8")
    assert machine.index("Written from") < machine.index('id="encoding"')
    assert 'id="products"' in machine
    assert 'machine.html#products"' in (site / "how-to" / "multiply-large-matrices.html").read_text(
        encoding="utf-8"
    )


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path):
    (tmp_path / "conf.py").write_text("extensions = ['myst_parser']\n")
    (tmp_path / "index.md").write_text("# A page\n\n[nowhere](missing.md)\n")
    code = (
        "import pathlib, sys; from ohmulator.jobs.docs import build;"
        "sys.exit(build(*map(pathlib.Path, sys.argv[1:])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "out")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "missing.md" in done.stderr


@pytest.mark.parametrize("out", ["docs", "docs/site", "."])
def test_a_site_among_its_sources_is_refused(out, capsys):
    assert docs.main(["--out", str(PROJECT / out)]) == 2
    assert "would mix the site with its sources: take another folder" in capsys.readouterr().err
