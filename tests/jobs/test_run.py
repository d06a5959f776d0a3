"""Waveforms of `make run`: the first products or, with WAVES=1, every one."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from spec.load import load
from tests.support.configs import toml
from tests.support.refusals import fields

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("variables, products", [([], 8), (["WAVES=1"], 540)])
def test_as_many_products_are_recorded_as_asked_for(tmp_path, variables, products):
    path, out = tmp_path / "narrow.toml", tmp_path / "out"
    path.write_text(toml(fields(rows=64, columns=10, adcs=10, slices=1)))
    config = load(str(path))
    out.mkdir()
    (out / "rtl.vcd").write_text("of an earlier run")
    env = {name: value for name, value in os.environ.items() if not name.startswith("M")}
    given = [f"CONFIG={path}", f"OUT={out}", f"JSON={out}/figures.json", *variables]
    # The environment of the tests is complete: no set-up on the way.
    command = ["make", "--old-file=.venv/run.stamp", "run", *given]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=True)
    assert f"removed {out}/rtl.vcd, a waveform of an earlier run" in done.stdout
    names = ["boundary.gtkw", "boundary.vcd", "digits.png", "figures.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert json.loads((out / "figures.json").read_text())["products"] == 540
    text = (out / "boundary.vcd").read_text()
    (sample,) = re.findall(r"^\$var \w+ 1 (\S+) sample \$end$", text, re.MULTILINE)
    sampled = text.count(f"\n1{sample}\n")
    # The end of the record may cut into the products after the last one that it holds.
    assert products * config.planes <= sampled <= (products + 2) * config.planes
