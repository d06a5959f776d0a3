"""The page that lists the presets lists all of them."""

import re

from spec.load import presets
from tests.support.pages import PROJECT


def test_every_preset_is_listed():
    page = (PROJECT / "docs" / "how-to" / "describe-my-chip.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == presets()
