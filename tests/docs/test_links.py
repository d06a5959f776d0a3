"""Links between pages: they lead to files and headings that exist.

Sphinx checks those of the site; here are also those that readers of the sources follow.
"""

import re
from pathlib import Path

import pytest

from tests.support.pages import PAGES, PROJECT, name, without_code

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def slug(heading: str) -> str:
    """Return the anchor of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page: of headings and of labels."""
    page = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {slug(each) for each in headings} | set(re.findall(r"^\((.+)\)=$", page, re.MULTILINE))


def targets() -> list[tuple[Path, str]]:
    """Return all links that stay within the project."""
    return [
        (path, link)
        for path in PAGES
        for link in LINK.findall(without_code(path))
        if not link.startswith("http")
    ]


@pytest.mark.parametrize("path, link", targets(), ids=lambda value: str(value).rpartition("/")[2])
def test_links_lead_somewhere(path, link):
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    assert target.is_file(), f"{name(path)} links to {link}"
    assert target.is_relative_to(PROJECT)
    generated = "{generated}" in target.read_text(encoding="utf-8") if anchor else False
    assert not anchor or generated or anchor in anchors(target), f"{name(path)} links to {link}"


def test_every_page_of_the_site_is_in_a_table_of_contents():
    index = (PROJECT / "docs" / "index.md").read_text(encoding="utf-8")
    for path in PAGES:
        if path.is_relative_to(PROJECT / "docs") and path.stem != "index":
            place = path.relative_to(PROJECT / "docs").with_suffix("")
            assert re.search(rf"^{re.escape(place.as_posix())}$", index, re.MULTILINE), place


def test_every_picture_is_used():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    for picture in (PROJECT / "docs" / "pictures").iterdir():
        assert picture.name in text, picture.name
