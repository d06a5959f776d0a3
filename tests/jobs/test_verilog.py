"""`python -m ohmulator verilog`: the same bytes everywhere, or one sentence and no file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hw.boundary import macro
from hw.tools.verilog import generate
from spec.errors import UserError
from spec.load import load
from spec.physics import Physics
from tests.support.configs import SMALL, chip, toml

PROJECT = Path(__file__).parents[2]


def run(*arguments, cwd, seed="0"):
    env = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-W", "error", "-m", "ohmulator", "verilog", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def refused(done):
    """Return the one sentence of a command that ended with status 2."""
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_the_same_bytes_from_any_folder(tmp_path):
    written = []
    for seed, name in (("1", "a"), ("2", "b")):
        folder = tmp_path / name
        folder.mkdir()
        done = run("--config", "pku2025", cwd=folder, seed=seed)
        assert (done.returncode, done.stderr) == (0, "")
        path = folder / "build" / "tile-pku2025.v"
        assert f"wrote {path.relative_to(folder)}" in done.stdout
        assert [*path.parent.iterdir()] == [path]
        written.append(path.read_bytes())
    assert written[0] == written[1] == generate(load("pku2025"), "tile").encode()
    assert str(PROJECT).encode() not in written[0]


def test_verilog_names_its_configuration():
    text = generate(load("pku2025"), "tile")
    head = text.split("\n/*")[0].splitlines()
    assert f"// hardware hash {load('pku2025').hardware}" in head
    assert "//   rows = 8" in head
    assert re.search(r"^module tile\(", text, re.MULTILINE)
    assert re.findall(r"(?:input|output) (?:\[\d+:0\] )?(\w+__\w+);", text)


def test_verilog_differs_with_the_configuration_and_not_with_the_physics():
    assert generate(chip(), "tile") == generate(chip(), "tile")
    assert generate(chip(), "tile") != generate(chip(rows=4), "tile")
    assert generate(chip(), "tile") == generate(chip(physics=Physics.of(read_noise=0.1)), "tile")


@pytest.mark.parametrize("tiles", [1, 4])
def test_black_boxes_have_every_pin_of_the_list(tiles):
    config = chip(tiles=tiles, vector_words=64, program_words=32, weight_words=64)
    text = generate(config, "chip", "blackbox")
    head, _, stub = text.partition(f"module {macro.NAME}(")
    pins = macro.pins(config)
    for pin in pins:
        width = rf"\[{pin.bits - 1}:0\] " if pin.bits > 1 else ""
        assert re.search(rf"{'input' if pin.is_input else 'output'} {width}{pin.name}\b", stub)
    instances = re.findall(rf"{macro.NAME} array_(\d+) \((.*?)\);", head, re.DOTALL)
    assert [int(number) for number, _ in instances] == [*range(tiles)]
    for _, connections in instances:
        assert set(re.findall(r"\.(\w+)\(\S", connections)) == {pin.name for pin in pins}
    # The ports are those of the host alone.
    assert "analog__" not in head.rpartition("module chip(")[2].partition(");")[0]


@pytest.mark.parametrize(
    "top, analog, words",
    [
        ("chip", "real", "analog must be one of ports, blackbox, model, not 'real'"),
        ("tile", "blackbox", "only the top level chip has black boxes, not tile"),
    ],
)
def test_arrays_that_a_top_level_cannot_have_are_refused(top, analog, words):
    with pytest.raises(UserError, match=re.escape(words)):
        generate(chip(), top, analog)


def test_unknown_top_levels_are_refused():
    with pytest.raises(UserError, match=r"there is no top level 'tiel': take one of .*tile"):
        generate(chip(), "tiel")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--top", "tiel"], r"error: top must be one of tile, .*, not 'tiel'"),
        (["--config", "nothing"], r"error: configuration 'nothing' is neither a preset .*"),
        (["--config", "missing.toml"], r"error: configuration missing.toml cannot be read: .*"),
        (["--config", "bad.toml"], r"error: configuration bad.toml: rows must be .*, not 0"),
        (["--out", "file/below.v"], r"error: file/below.v cannot be written: .+"),
        (["--out", "folder"], r"error: folder cannot be written: .+"),
        (["--out"], r"error: argument --out: expected one argument \(see --help\)"),
        (["--colour"], r"error: unrecognized arguments: --colour \(see --help\)"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_no_file(tmp_path, arguments, sentence):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "good.toml").write_text(toml(SMALL))
    (tmp_path / "bad.toml").write_text(toml(SMALL | {"rows": 0}))
    before = sorted(tmp_path.rglob("*"))
    if "--config" not in arguments:
        arguments = ["--config", "good.toml", *arguments]
    assert re.fullmatch(sentence, refused(run(*arguments, cwd=tmp_path)))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_earlier_file_is_replaced_whole(tmp_path):
    path = tmp_path / "tile.v"
    path.write_text("old\n" * 100_000)
    assert run("--config", "pku2025", "--out", path, cwd=tmp_path).returncode == 0
    assert path.read_text() == generate(load("pku2025"), "tile")
    assert [*tmp_path.iterdir()] == [path]


def test_help_names_every_option(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in ("--config", "--top", "--analog", "--weights", "--seed", "--out"):
        assert option in done.stdout
