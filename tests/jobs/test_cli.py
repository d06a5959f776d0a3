"""What all command lines share: errors in one sentence, files whole or not at all."""

import os
import stat

import pytest

from environment.files import write_whole
from ohmulator import cli
from spec.errors import UserError


@pytest.mark.parametrize(
    "outcome, status", [(lambda: None, 0), (lambda: 0, 0), (lambda: 1, 1), (lambda: 3, 3)]
)
def test_the_status_is_what_main_returns(outcome, status):
    with pytest.raises(SystemExit) as caught:
        cli.run(outcome)
    assert caught.value.code == status


def failing(error):
    def main():
        raise error

    return main


def test_bad_input_is_one_sentence_and_status_2(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run(failing(UserError("rows must be 1 or more, not 0")))
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "error: rows must be 1 or more, not 0\n")


def test_interrupts_leave_no_traceback(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run(failing(KeyboardInterrupt()))
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_defects_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        cli.run(failing(ZeroDivisionError()))


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


def test_a_link_to_a_file_stays_a_link(tmp_path):
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    write_whole(link, "figures")
    assert link.is_symlink() and file.read_text() == "figures"
