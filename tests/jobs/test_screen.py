"""Tables and texts show data as they are."""

import pytest

from ohmulator import cli
from ohmulator.jobs.screen import Screen

DATA = ["out/o[/b]", "[red]x", "$a_{b$", ":smile:", "a\\[b]", "%s {0} {}", "[link=x]y[/link]"]


@pytest.mark.parametrize("text", [*DATA, "a\tb", "x/" * 200])
def test_a_text_is_printed_as_it_is(capsys, text):
    cli.say(text)
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize("text", DATA)
@pytest.mark.parametrize("length", [1, 30])
def test_titles_and_cells_of_tables_are_printed_as_they_are(capsys, text, length):
    title = text * length
    Screen().table(title, [[("name", text)], [(text, "1")]])
    said = capsys.readouterr().out
    assert title in said and said.count(text) == 2 + length


@pytest.mark.parametrize("text", DATA)
def test_warnings_are_printed_as_they_are(capsys, text):
    Screen().warn(text)
    assert capsys.readouterr().out == f"warning: {text}\n"


@pytest.mark.parametrize("text", DATA)
def test_progress_takes_any_text_and_is_silent_without_a_terminal(capsys, text):
    screen = Screen()
    with screen.status(text) as tell, screen.progress(text, 3) as update:
        tell(text)
        update(3)
    assert capsys.readouterr().out == ""
