"""Inputs of each kind that once went wrong, drawn at random, through the jobs themselves."""

import codecs
import contextlib
import importlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmulator import cli
from ohmulator.jobs import assemble, measure, physics, pictures, spice
from ohmulator.jobs.random_chip import random_chip
from ohmulator.jobs.screen import Screen
from spec.assembly import assemble as words_of
from spec.config import ChipConfig
from spec.load import load
from spec.physics import ConverterPhysics
from tests.support import refusals
from tests.support.configs import toml
from tests.support.no_work import no_work

TINY = toml(refusals.fields(rows=4, columns=4, adcs=4))
fifty = settings(max_examples=50)


@contextlib.contextmanager
def inside() -> Iterator[Path]:
    """Work in a new folder, which holds `good.toml`."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            Path("good.toml").write_text(TINY)
            yield Path(name)
        finally:
            os.chdir(here)


def called(job: str, *arguments: str) -> tuple[int, str, str]:
    """Return status, standard output and standard error of a job."""
    raw, errors = io.BytesIO(), io.StringIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(errors):
        status = importlib.import_module(f"ohmulator.jobs.{job}").main(list(arguments))
    return status, raw.getvalue().decode(errors="surrogateescape"), errors.getvalue()


def check_refused(job: str, *arguments: str) -> str:
    """Return the sentence with which a job refuses arguments; nothing else happens."""
    before = sorted(os.walk("."))
    with no_work():
        status, out, error = called(job, *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]{10,700}\n", error), error
    assert sorted(os.walk(".")) == before
    return error


PIECES = ["[", "]", "[/b]", "[red]", "$", "_", "{", "}", "\\", "%s", ":smile:", "^", "~", "'", '"']
PIECES += [" ", "é", "日", "\udcff", "\t", "\n", "#", "&", "a", "-", "*", ";", "(", "\x1b[1m"]
names = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)


@fifty
@given(names, names)
def test_a_path_is_printed_as_it_is(folder, name):
    with inside():
        source, out = f"x{name}.toml", f"o/{folder}/{name}.sp"
        Path(source).parent.mkdir(parents=True, exist_ok=True)
        Path(source).write_text(TINY)
        status, said, error = called("spice", f"--config={source}", f"--out={out}")
        assert (status, error) == (0, "") and Path(out).is_file()
        assert said.startswith(f"wrote {out}: 4 x 8 cells")
        # In the netlist it is a comment, which no name may end.
        first = Path(out).read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(r"\* Array of slice 0 of x.*\.toml, hash [0-9a-f]{16}", first)


@fifty
@given(names)
def test_a_title_is_shown_as_it_is(name):
    title = f"configuration {name}.toml, 2 chips"
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    with contextlib.redirect_stdout(stream):
        cli.prepare_streams()
        Screen().table(title, [[("a", name)]])
    shown = raw.getvalue().decode(errors="surrogateescape")
    assert title.strip() in shown
    axes = dict.fromkeys(("one", "other"), ("unit", [0.0], np.zeros((1, 2))))
    figure = pictures.sweep(axes, title)
    figure.set_size_inches(2, 1)
    assert figure.get_suptitle() == cli.printable(title)
    assert pictures.png(figure).startswith(b"\x89PNG")


@st.composite
def impossible_paths(draw):
    """Draw a path at which nothing can be: too long, through a file, in a loop, with a NUL."""
    ends = st.sampled_from(["", "/x", "/x/y"])
    names = st.sampled_from(["n" * 256, "ü" * 128, "a\0b", "p/" * 2100])
    folders = st.sampled_from(["", "./", "new/", "new/a/", "d/"])
    strange = st.sampled_from(["good.toml/x", "./loop", "loop/x", "/proc/x", "/dev/null/x"])
    return draw(st.builds("{}{}".format, folders, names) | strange) + draw(ends)


@fifty
@given(
    impossible_paths(),
    st.sampled_from(
        [("assemble", "{}"), *((job, "--config={}.toml") for job in refusals.CONFIGURED)]
        + [(job, "--json={}") for job in refusals.FIGURED]
        + [(job, "--out={}/z") for job in (*refusals.WRITING, "docs")]
    ),
)
def test_a_path_at_which_nothing_can_be_is_refused(path, use):
    job, form = use
    with inside():
        Path("loop").symlink_to("loop")
        if form == "--json={}":
            path = f"{path}/z"
        base = [] if form.startswith("--config") or job in ("assemble", "docs") else GOOD[job]
        sentence = check_refused(job, *base, form.format(path))
        assert re.search("cannot be (read|written): |neither a preset", sentence)


GOOD = {job: ["--config=digits"] for job in ("run", "program", "sweep")}
GOOD |= {job: ["--config=good.toml"] for job in ("sim", "physics", "spice", "verilog", "solve")}


@st.composite
def spellings(draw, path: str) -> str:
    """Draw another spelling of a path, by folders that are there, links and dots."""
    before = st.sampled_from(["", "./", "d/../", "link/../d/../", f"{os.getcwd()}/", "./d/.././"])
    folder, name = os.path.split(path)
    within = draw(st.sampled_from(["", "./", ".//"]))
    return draw(before) + (f"{folder}/{within}{name}" if folder else name)


@fifty
@given(st.data())
def test_files_that_are_the_same_are_refused_however_they_are_spelt(data):
    with inside():
        Path("d").mkdir()
        Path("link").symlink_to("d")
        Path("soft.toml").symlink_to("good.toml")
        os.link("good.toml", "hard.toml")
        job = data.draw(st.sampled_from(refusals.WRITING))
        first = data.draw(st.sampled_from(["d", "link", "new", "new/deeper"]))
        if job in refusals.FIGURED:
            file = data.draw(st.sampled_from(refusals.FILES[job]))
            same = f"{first}/{file}" if first != "link" else f"d/{file}"
            arguments = [*GOOD[job], f"--out={first}", f"--json={data.draw(spellings(same))}"]
        else:
            same = data.draw(st.sampled_from(["good.toml", "soft.toml", "hard.toml"]))
            arguments = [*GOOD[job], f"--out={data.draw(spellings(same))}"]
        assert "take another path" in check_refused(job, *arguments)


@fifty
@given(
    st.integers(4400, 9000),
    st.sampled_from(sorted(set(ChipConfig.field_names()) - {"mapping"})),
    st.sampled_from(["0x{}", "-{}", "{}", "[0x{}]", "{{a = 0x{}}}", "0o{}", "{}e9999", "'{}'"]),
)
def test_a_value_that_cannot_be_printed_is_refused(length, name, form):
    value = form.format("7" * length)
    with inside():
        lines = toml(refusals.fields(**{name: 12345678})).replace("12345678", value)
        Path("bad.toml").write_text(lines)
        check_refused("verilog", "--config=bad.toml")


@fifty
@given(
    st.integers(101, 9000),
    st.sampled_from(["SET s0, 0x{}", ".word {}", "x = 0b{}", "{}", "SET s0, -{}", "a: .word 1+{}"]),
)
def test_a_number_in_assembly_that_cannot_be_printed_is_refused(length, form):
    with inside():
        Path("p.s").write_text(form.format("1" * length))
        assert re.search("line 1, column [0-9]+: ", check_refused("assemble", "p.s"))


parts = st.sampled_from([0.0, 1e-3, 0.5, 1.0, 8.0, 30.0, 100.0])


@fifty
@given(
    st.integers(2, 6),
    st.fixed_dictionaries({f"adc_{name}": parts for name in ("offset", "inl", "dnl")}),
    st.floats(0, 0.2),
    st.sampled_from(["differential", "offset"]),
)
def test_what_cannot_be_measured_is_said(adc_bits, errors, gain, mapping):
    assert set(errors) < set(ConverterPhysics.field_names())
    fields = refusals.fields(rows=4, columns=4, adcs=2, slices=1, mapping=mapping)
    config = ChipConfig.of(**fields | errors | {"adc_bits": adc_bits, "adc_gain": gain})
    chip, levels = random_chip(config, 0)
    found = measure.measure(chip, levels, *physics.ramp_of(config))
    figures = measure.figures(chip, found)

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(json.dumps(figures, allow_nan=False), parse_constant=refuse) == figures
    table = str(measure.rows(figures, adc_bits))
    assert "nan" not in table and "inf" not in table.replace("infinite", "")
    ideal = not any(errors.values()) and gain < 1e-3
    assert not (ideal and figures["adcs_not_measurable"])
    assert (figures["adc_enob_mean"] is None) == ("effective bits, mean and worst', 'not" in table)
    assert (figures["adc_offset_worst_lsb"] is None) == ("worst offset', 'not" in table)


def test_pictures_of_what_cannot_be_measured():
    fields = refusals.fields(rows=8, columns=8, adcs=8, adc_bits=4, adc_offset=8.0)
    with inside():
        Path("odd.toml").write_text(toml(fields))
        status, said, error = called("physics", "--config=odd.toml", "--out=o", "--json=f.json")
        assert (status, error) == (0, "") and "nan" not in said
        assert len(os.listdir("o")) == 3
        found = json.loads(Path("f.json").read_text())
        assert 0 < found["adcs_not_measurable"] <= found["adcs"] == 16


encodings = st.sampled_from(
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252", "mac-roman", "shift-jis"]
)
comments = st.text("µéß日本語ж∑", min_size=1, max_size=9)


@fifty
@given(encodings, comments, st.sampled_from(["\n", "\r\n"]))
def test_text_in_utf_8_is_read_and_other_text_named(encoding, comment, newline):
    with inside():
        texts = {"p.s": f"; {comment}\nHALT\n", "c.toml": f"# {comment}\n{TINY}"}
        for name, text in texts.items():
            data = text.replace("\n", newline).encode(encoding, errors="replace")
            Path(name).write_bytes(data)
        commands = ["assemble", "p.s"], ["spice", "--config=c.toml", "--out=o.sp"]
        data = Path("p.s").read_bytes()
        try:
            readable = not data.startswith((codecs.BOM_UTF16, codecs.BOM_UTF32))
            data.decode("utf-8")
        except UnicodeDecodeError:
            readable = False
        for command in commands:
            if readable:
                assert called(*command)[::2] == (0, "")
            else:
                assert "save it as UTF-8" in check_refused(*command)


@fifty
@given(st.sampled_from(["ascii", "latin-1", "cp1252", "koi8-r", "utf-8", "utf-16"]), names)
def test_a_job_ends_whatever_the_encoding_of_its_output(encoding, name):
    with inside():
        raw, errors = io.BytesIO(), io.BytesIO()
        out = io.TextIOWrapper(raw, encoding=encoding)
        with contextlib.redirect_stdout(out):
            with contextlib.redirect_stderr(io.TextIOWrapper(errors, encoding=encoding)) as err:
                assert spice.main(["--config=good.toml", f"--out=o/µσ{name}.sp"]) == 0
                assert assemble.main([f"missing {name}σ"]) == 2
                err.flush()
        assert "wrote o/".encode(encoding)[-5:] in raw.getvalue()
        assert errors.getvalue() and len(os.listdir("o")) == 1


junk = st.text(st.characters(codec="utf-8"), max_size=12) | names


@fifty
@given(
    st.sampled_from(
        [(job, "seed", 0, 2**32 - 1) for job in refusals.SEEDED]
        + [
            ("sim", "count", 1, 1_000_000),
            ("sweep", "count", 2, 100),
            ("solve", "count", 1, 100_000),
        ]
    ),
    junk | st.integers().map(str) | st.floats().map(str),
)
def test_integers_out_of_range_are_refused_alike_by_every_job(option, text):
    job, name, low, high = option
    with contextlib.suppress(ValueError):
        if low <= int(text) <= high:
            return
    with inside():
        sentence = check_refused(job, *GOOD[job], f"--{name}={text}")
        assert f"{name} must be an integer of {low} to {high}" in sentence


def test_configurations_and_programs_may_begin_with_a_byte_order_mark():
    with inside():
        Path("mark.toml").write_bytes(codecs.BOM_UTF8 + TINY.encode())
        Path("mark.s").write_bytes(codecs.BOM_UTF8 + b"HALT\n")
        assert load("mark.toml") == load("good.toml")
        word = f"{words_of('HALT')[0]:016x}"
        assert word in called("assemble", "mark.s")[1]
