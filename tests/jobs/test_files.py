"""Files are whole or not there, come from one job together, and are refused before its work."""

import json
import math
import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from environment import files
from environment.files import Outputs, json_text, write_whole
from ohmulator.jobs import spice
from spec.errors import UserError

PROJECT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.mark.parametrize("content, expected", [("µ\n", "µ\n".encode()), (b"\0\xff", b"\0\xff")])
def test_files_are_written_with_their_folder(tmp_path, content, expected):
    path = tmp_path / "new" / "folder" / "file"
    write_whole(path, content)
    assert path.read_bytes() == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(path.parent) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=f"^{path} cannot be written: No space left on device$"):
        write_whole(path, "new")
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_text() == "old"


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "figures")
    assert os.read(end, 100) == b"figures" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(end)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_an_open_file_is_written_to_and_not_replaced(tmp_path, name):
    path = tmp_path / "log"
    with path.open("w") as log:
        command = "from environment.files import *; print('a', flush=True);"
        command += f"write_whole(Path({name!r}), 'b\\n'); print('c')"
        subprocess.run([sys.executable, "-c", command], cwd=PROJECT, stdout=log, check=True)
    assert path.read_text() == "a\nb\nc\n"


def test_a_link_to_a_file_stays_a_link(tmp_path):
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    write_whole(link, "figures")
    assert link.is_symlink() and file.read_text() == "figures"


@pytest.mark.parametrize("length", [241, 250, 255])
def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path, length):
    path = tmp_path / ("n" * length)
    outputs = Outputs({"the picture": path})
    outputs.write({"the picture": "x"})
    assert path.read_text() == "x"


def test_only_wanted_files_are_written(tmp_path):
    outputs = Outputs({"the picture": tmp_path / "a", "the figures": None})
    assert "the picture" in outputs and "the figures" not in outputs
    outputs.write({"the picture": "x", "the figures": "y"})
    assert os.listdir(tmp_path) == ["a"] and outputs["the picture"] == tmp_path / "a"


def test_a_wanted_file_that_a_job_did_not_make_does_not_stay(tmp_path):
    names = "kept", "old", "new", "link", "pipe"
    outputs = Outputs({name: tmp_path / name for name in names} | {"unwanted": None})
    (tmp_path / "old").write_text("of an earlier job")
    (tmp_path / "target").write_text("of somebody else")
    (tmp_path / "link").symlink_to("target")
    os.mkfifo(tmp_path / "pipe")
    assert outputs.write({"kept": "x"}) == [tmp_path / "old", tmp_path / "link"]
    assert sorted(os.listdir(tmp_path)) == ["kept", "pipe", "target"]
    assert outputs.write({"kept": "y"}) == []


def test_all_files_are_written_or_none(tmp_path):
    """The second is refused by a limit on the size of files, as by a disk that is full."""
    outputs = Outputs({"small": tmp_path / "small", "large": tmp_path / "new" / "large"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"new/large cannot be written: File too large"):
            outputs.write({"small": "x", "large": "y" * 2000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "small").exists() and not os.listdir(tmp_path / "new")


def test_no_room_is_found_before_the_work(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"x/a cannot be written: File too large"):
            Outputs({"the picture": tmp_path / "x" / "a"})
        with pytest.raises(UserError, match=r"x cannot be written: File too large"):
            Outputs({}, folders=[tmp_path / "x"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not os.listdir(tmp_path)


def test_files_of_two_jobs_do_not_mix(tmp_path, monkeypatch):
    names = ["a", "b", "c"]
    replace = os.replace

    def slowly(source, target):
        replace(source, target)
        threading.Event().wait(0.001)

    monkeypatch.setattr(os, "replace", slowly)

    def job(text):
        outputs = Outputs({name: tmp_path / name for name in names})
        for _ in range(10):
            outputs.write(dict.fromkeys(names, text))

    jobs = [threading.Thread(target=job, args=[text]) for text in "xyz"]
    for each in jobs:
        each.start()
    for each in jobs:
        each.join()
    assert sorted(os.listdir(tmp_path)) == names
    assert len({(tmp_path / name).read_text() for name in names}) == 1


@pytest.mark.parametrize("target", ["/dev/null", "/dev/stdout", "/dev/fd/1", "pipe"])
def test_devices_pipes_and_open_files_may_be_given_twice(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Outputs({"the picture": Path(target), "the figures": Path(target)})


@pytest.fixture
def served() -> Iterator[Path]:
    """Return a folder that everybody may enter, whatever holds the other temporary folders."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Give up the rights of root, which may write and enter everything."""
    if os.getuid() == 0:
        os.setresgid(NOBODY, NOBODY, 0)
        os.setresuid(NOBODY, NOBODY, 0)
        yield
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
    else:
        yield


@pytest.mark.parametrize(
    ("mode", "path", "why"),
    [
        (0o555, "closed/a", "closed/a cannot be written: Permission denied"),
        (0o555, "closed/new/a", "closed/new/a cannot be written: Permission denied"),
        (0o000, "closed/a", "closed/a cannot be written: Permission denied"),
        (0o000, "closed/new/a", "closed/new/a cannot be written: Permission denied"),
        (0o755, "closed/old", "closed/old cannot be written: it is read-only"),
    ],
)
def test_what_may_not_be_written_or_entered_is_refused(served, request, mode, path, why):
    (served / "closed").mkdir()
    (served / "closed" / "old").touch()
    (served / "closed" / "old").chmod(0o444)
    (served / "closed").chmod(mode)
    request.getfixturevalue("nobody")
    with pytest.raises(UserError, match=f"{why}$"):
        Outputs({"the picture": served / path})
    if path.endswith("/new/a"):
        with pytest.raises(UserError, match=r"closed/new cannot be written: Permission denied$"):
            Outputs({}, folders=[served / "closed" / "new"])


def test_a_configuration_in_a_closed_folder_is_refused(served, request, capsys):
    (served / "closed").mkdir(mode=0o000)
    request.getfixturevalue("nobody")
    assert spice.main(["--config", str(served / "closed" / "chip.toml")]) == 2
    sentence = f"error: configuration {served}/closed/chip.toml cannot be read: Permission denied\n"
    assert capsys.readouterr() == ("", sentence)


def test_a_socket_is_neither_file_nor_pipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        with pytest.raises(UserError, match=r"socket cannot be written: it is a socket"):
            Outputs({"the picture": Path("socket")})


def test_json_is_valid_whatever_was_measured():
    def refuse(constant):
        raise AssertionError(constant)

    figures = {"a": math.nan, "b": [1.5, -math.inf, {"c": (math.inf, 2)}], "d": "NaN", "e": None}
    found = json.loads(json_text(figures), parse_constant=refuse)
    assert found == {"a": None, "b": [1.5, None, {"c": [None, 2]}], "d": "NaN", "e": None}
    assert json_text({}).endswith("\n")


def test_the_probe_leaves_nothing(tmp_path):
    before = tmp_path.stat().st_mtime_ns
    Outputs({"the picture": tmp_path / "x" / "a"}, folders=[tmp_path / "build"])
    assert not os.listdir(tmp_path) and files.PROBE
    assert tmp_path.stat().st_mtime_ns == before
