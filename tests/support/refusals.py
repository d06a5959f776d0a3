"""Bad inputs of all jobs, and a folder in which they are bad."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spec.config import ChipConfig
from spec.load import PRESETS, load
from tests.support.bad_systems import bad_systems, make_systems
from tests.support.configs import toml

CONFIGURED = ("run", "program", "sim", "physics", "sweep", "spice", "verilog", "area", "solve")
WRITING = ("run", "program", "sim", "physics", "sweep", "spice", "verilog")
FIGURED = ("run", "program", "sim", "physics", "sweep")
SEEDED = ("run", "program", "sim", "physics", "sweep", "spice", "verilog", "solve")
FILES = {
    "run": ["digits.png", "boundary.vcd", "boundary.gtkw"],
    "program": ["digits.png", "cells.png", "boundary.vcd"],
    "sim": ["boundary.vcd", "boundary.gtkw", "rtl.vcd"],
    "physics": ["cells.png", "wires.png", "adc.png"],
    "sweep": ["sweep.png"],
}
"""Some of the files that a job writes into its folder."""

NINES = "9" * 5000
LONG = "l" * 300


class Bad(NamedTuple):
    """A job's arguments, and the pattern of the sentence that refuses them.

    `numbers`: it is refused for the numbers in its file.
    """

    job: str
    arguments: list[str]
    sentence: str
    numbers: bool = False

    def __str__(self) -> str:
        return f"{self.job} {' '.join(self.arguments)}"[:80].replace("\0", "0")


def fields(**changes: object) -> dict[str, object]:
    """Return the fields of the preset `rough`, some changed; those of None are left out."""
    config = load("rough")
    values = {name: config.value(name) for name in ChipConfig.field_names()}
    values["mapping"] = str(config.array.mapping)
    return {name: value for name, value in (values | changes).items() if value is not None}


def make_world(folder: Path) -> None:
    """Fill a folder with files, good and bad, that the arguments name."""
    texts = {
        "good.toml": toml(fields()),
        "small.toml": toml(fields(rows=32)),
        "narrow.toml": toml(fields(columns=8, adcs=8)),
        "dark.toml": toml(fields(input_bits=1, dac_bits=1)),
        "curved.toml": toml(fields(nonlinearity=2.0)),
        "offset.toml": toml(fields(mapping="offset")),
        "coarse.toml": toml(fields(adc_bits=1)),
        "wide.toml": toml(fields(rows=1024, columns=1024, adcs=1024, adc_bits=16)),
        "zero.toml": toml(fields(rows=0)),
        "odd.toml": toml(fields(adcs=7)),
        "huge.toml": toml(fields(rows=None)).replace("[array]", f"[array]\nrows = 0x{'F' * 5000}"),
        "digits.toml": toml(fields(rows=None)).replace("[array]", f"[array]\nrows = {NINES}"),
        "list.toml": toml(fields(rows=None)).replace(
            "[array]", f"[array]\nrows = [0x{'F' * 5000}]"
        ),
        "text.toml": toml(fields(rows="many")),
        "nan.toml": toml(fields(read_noise=float("nan"))),
        "infinite.toml": toml(fields(settle_s=float("inf"))),
        "lacking.toml": toml(fields(rows=None)),
        "unknown.toml": toml(fields() | {"[/b]": 1}).replace("[/b]", '"[/b]"', 1),
        "longkey.toml": toml(fields() | {"k" * 5000: 1}),
        "flat.toml": "rows = 4\n",
        "twice.toml": "[array]\nrows = 4\nrows = 4\n",
        "broken.toml": "[array\n",
        "deep.toml": f"rows = {'[' * 5000}",
        "table.toml": "array = 3\n",
        "control.toml": "[array]\nrows = 4\x00\n",
        "empty.toml": "",
        "program.s": "HALT\n",
        "unknown.s": " HLT\n",
        "huge.s": f"SET s0, 0x{'F' * 5000}\n",
        "nines.s": f"SET s0, {NINES}\n",
        "name.s": f"{'n' * 5000} = 1\n",
        "wide.s": "SET s0, 0xFFFFFFFFF\n",
        "scalar.s": "SET 3, 4\n",
        "count.s": "HALT 1\n",
        "target.s": "JUMP nowhere\n",
        "again.s": "a:\na:\n",
        "nul.s": "HALT\0\n",
        "good.csv": "0,1,2,3,4,5,6,7\n" * 8,
        "short.csv": f"{'1,' * 7}1\n1,2\n" + "0,1,2,3,4,5,6,7\n" * 6,
        "words.csv": "1.5,1,2,3,4,5,6,7\n" * 8,
        "heavy.csv": f"{NINES[:30]},1,2,3,4,5,6,7\n" * 8,
        "file": "",
    }
    (folder / "full-array.sv").mkdir()
    make_systems(folder)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    text = f"# µ\n{texts['good.toml']}"
    for encoding in ("latin-1", "utf-16", "utf-32"):
        (folder / f"{encoding}.toml").write_bytes(text.encode(encoding))
        (folder / f"{encoding}.s").write_bytes("; µ\nHALT\n".encode(encoding))
    (folder / "long.s").write_bytes(b" " * ((1 << 24) + 1))
    for name in ("folder.toml", "full", "full/inside"):
        (folder / name).mkdir()
    for name, target in {"loop": "loop", "below": "file/x", "soft.toml": "good.toml"}.items():
        (folder / name).symlink_to(target)
    (folder / "loop.toml").symlink_to("loop.toml")
    (folder / "link").symlink_to("full")
    os.link(folder / "good.toml", folder / "hard.toml")
    here = Path.cwd()
    # The path of a socket may be too long where its name is not.
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
    os.chdir(here)


SHORT = r"[^\n]{1,600}"
"""What a sentence may have besides: one line, of bearable length."""

CONFIGS = {
    "": r"configuration '' is neither a preset \(.*digits.*\) nor the path of a .toml file",
    "nothing": "configuration 'nothing' is neither a preset",
    "[/b]": r"configuration '\[/b\]' is neither a preset",
    LONG: r"configuration 'l+\.\.\. \(302 characters\) is neither a preset",
    "missing.toml": "configuration missing.toml cannot be read: No such file or directory",
    "missing[/b].toml": r"configuration missing\[/b\].toml cannot be read: No such file",
    f"{LONG}.toml": r"configuration l+\.\.\.l+\.toml \(305 characters\) cannot be read: File name",
    "a\0b.toml": r"configuration a\\x00b.toml cannot be read: a path holds no null character",
    "a\nb.toml": r"configuration a\\nb.toml cannot be read: No such file",
    "folder.toml": "configuration folder.toml cannot be read: Is a directory",
    "file/x.toml": "configuration file/x.toml cannot be read: Not a directory",
    "loop.toml": "configuration loop.toml cannot be read: Too many levels of symbolic links",
    "latin-1.toml": "latin-1.toml cannot be read: it is no UTF-8 text, line 1 has the byte 0xb5",
    "utf-16.toml": "utf-16.toml cannot be read: it is UTF-16 text: save it as UTF-8",
    "utf-32.toml": "utf-32.toml cannot be read: it is UTF-32 text: save it as UTF-8",
    "zero.toml": "configuration zero.toml: rows must be an integer of 1 to 1024, not 0",
    "odd.toml": r"adcs must divide columns \(64\) evenly, not 7: take one of 1, 2, 4, 8",
    "huge.toml": "rows must be an integer of 1 to 1024, not an integer of 20000 bits",
    "digits.toml": "cannot be read: it has a number of thousands of digits or too many brackets",
    "list.toml": "rows must be an integer of 1 to 1024, not a list that cannot be printed",
    "text.toml": "rows must be an integer of 1 to 1024, not 'many'",
    "nan.toml": "read_noise must be a number of 0 to 1 .*, not nan",
    "infinite.toml": "settle_s must be a number of .*, not inf",
    "lacking.toml": r"configuration lacking.toml: \[array\] lacks 'rows': add it",
    "unknown.toml": r"unknown key '\[/b\]' in \[array\]",
    "longkey.toml": r"unknown key 'k+\.\.\. \(5002 characters\) in \[array\]",
    "flat.toml": r"fields stand in tables now: move rows to \[array\]",
    "twice.toml": "twice.toml cannot be read: Cannot overwrite a value",
    "broken.toml": "broken.toml cannot be read: Expected ']'",
    "deep.toml": "cannot be read: it has a number of thousands of digits or too many brackets",
    "table.toml": r"array must be a table \[array\], not 3",
    "control.toml": "control.toml cannot be read: Expected newline or end of document",
    "empty.toml": r"configuration empty.toml: \[array\] lacks 'rows'",
}
FOLDERS = {
    "file": "file/[a-z.]+ cannot be written: .*/file is not a folder",
    "file/x": "cannot be written: .*/file is not a folder",
    "below/x": "cannot be written: .*/file is not a folder",
    "loop": "cannot be written: Too many levels of symbolic links",
    LONG: r"l+\.\.\..* characters\) cannot be written: File name too long",
    f"new/{LONG}/x": "cannot be written: File name too long",
    "p/" * 2500: "cannot be written: File name too long",
    "a\0b": r"a\\x00b/[a-z.]+ cannot be written: a path holds no null character",
    "/proc/nothing": "/proc/nothing/[a-z.]+ cannot be written: No such file or directory",
    "/dev/null": "/dev/null/[a-z.]+ cannot be written: .*/dev/null is not a folder",
}
TARGETS = {
    "full": "full cannot be written: it is a folder",
    "link": "link cannot be written: it is a folder",
    "file/x": "file/x cannot be written: .*/file is not a folder",
    "below": "below cannot be written: .*/file is not a folder",
    "loop": "loop cannot be written: Too many levels of symbolic links",
    "": r"\. cannot be written: it is a folder",
    LONG: "cannot be written: File name too long",
    f"new/{LONG}": "cannot be written: File name too long",
    "a\0b": r"a\\x00b cannot be written: a path holds no null character",
    "/proc/x": "/proc/x cannot be written: No such file or directory",
    "socket": "socket cannot be written: it is a socket, neither a file nor a pipe",
}
"""Patterns by a path to which no file can be written, or no folder with files."""

INTEGERS = ("-1", "4294967296", "1.5", "x", "", "0x10", NINES, "nan", "1e3", "[/b]", "−1")


def bad_inputs() -> Iterator[Bad]:
    """Yield bad inputs of every job; no job works before it refuses them."""
    yield from _configs()
    yield from _paths()
    yield from _same_files()
    yield from _options()
    yield from _unfit_configs()
    yield from _programs()
    for arguments, sentence in bad_systems():
        yield Bad("solve", arguments, sentence, numbers="--a" in arguments)


def _configs() -> Iterator[Bad]:
    for job in CONFIGURED:
        for source, sentence in CONFIGS.items():
            yield Bad(job, ["--config", source], sentence)


def _paths() -> Iterator[Bad]:
    for job in FIGURED:
        for path, sentence in FOLDERS.items():
            yield Bad(job, ["--config", "good.toml", "--out", path], sentence)
        for path, sentence in TARGETS.items():
            arguments = ["--config", "good.toml", "--out", "new", "--json", path]
            yield Bad(job, arguments, sentence)
    for path, sentence in FOLDERS.items():
        yield Bad("docs", ["--out", path], sentence)
    for job in ("spice", "verilog", "solve"):
        for path, sentence in TARGETS.items():
            yield Bad(job, ["--config", "pku2025", "--out", path], sentence)


def _same_files() -> Iterator[Bad]:
    configuration = "is the configuration, which is read: take another path"
    for job in WRITING:
        for path in ("good.toml", "./good.toml", "full/../good.toml", "soft.toml", "hard.toml"):
            option = "--json" if job in FIGURED else "--out"
            arguments = ["--config", "good.toml", option, path]
            if option == "--json":
                arguments += ["--out", "new"]
            yield Bad(job, arguments, f"{Path(path)} cannot be written: .* {configuration}")
        preset = str(PRESETS / "pku2025.toml")
        if job not in FIGURED:
            yield Bad(job, ["--config", "pku2025", "--out", preset], configuration)
    for job, names in FILES.items():
        for name in names:
            for path in (f"new/{name}", f"./new/x/../{name}"):
                arguments = ["--config", "good.toml", "--out", "new", "--json", path]
                yield Bad(job, arguments, "would hold the figures, but is the .*: take another")
        arguments = ["--config", "good.toml", "--out", "new/x", "--json"]
        for path in ("new", "new/x"):
            sentence = f"{path} cannot be written: it would hold the figures, but must be a folder"
            yield Bad(job, [*arguments, path], sentence)
    for job in ("run", "program", "sim"):
        arguments = ["--config", "good.toml", "--json", "build"]
        yield Bad(job, arguments, "build cannot be written: it would hold .* folder for build")


def _options() -> Iterator[Bad]:
    for job in SEEDED:
        for value in INTEGERS:
            sentence = "seed must be an integer of 0 to 4294967295, not "
            yield Bad(job, [f"--seed={value}"], sentence)
    for job, low, high in (("sim", 1, 1_000_000), ("sweep", 2, 100)):
        for value in (str(low - 1), str(high + 1), "x", NINES):
            yield Bad(job, [f"--count={value}"], f"count must be an integer of {low} to {high}")
    for value in ("-1", "8", "x", NINES):
        sentence = r"slice must be an integer of 0 to 7 \(slices\), not "
        yield Bad("spice", [f"--slice={value}"], sentence)
    for value, sentence in {
        "a": "drive must be integers between commas, not 'a'",
        "": "drive must be integers between commas, not ''",
        "1,,2": "drive must be integers between commas, not '1,,2'",
        NINES: r"drive must be integers between commas, not '9+\.\.\. \(5002 characters\)",
        "1,2": r"drive must be 1 DAC code or 8 \(rows\), not 2",
        "16": "a DAC code of drive must be an integer of -8 to 15, not 16",
        "-9": "a DAC code of drive must be an integer of -8 to 15, not -9",
        "9" * 4000: r"a DAC code of drive must be an integer of -8 to 15, not 9+\.\.\.",
    }.items():
        yield Bad("spice", [f"--drive={value}"], sentence)
    for job, option in (
        ("sim", "tb"),
        ("sim", "sim"),
        ("verilog", "top"),
        ("verilog", "analog"),
        ("area", "top"),
    ):
        for value in ("", "tiel", "[/b]", LONG):
            yield Bad(job, [f"--{option}={value}"], f"{option} must be one of [a-z_, ]+, not '")
    sentence = "only the top level chip has black boxes, not tile: take analog ports"
    yield Bad("verilog", ["--analog", "blackbox"], sentence)
    yield from _arrays()
    for job in (*CONFIGURED, "assemble", "docs"):
        first = ["program.s"] if job == "assemble" else []
        yield Bad(job, [*first, "--colour"], r"unrecognized arguments: --colour \(see --help\)")
        yield Bad(job, [*first, "x", "y"], r"unrecognized arguments: x y|arguments: [xy]")
        yield Bad(job, [*first, f"--{LONG * 9}"], r"unrecognized arguments: --l+\.\.\. \(see")
        if job != "assemble":
            option = "--out" if job == "docs" else "--config"
            yield Bad(job, [option], rf"argument {option}: expected one argument \(see --help\)")
    for value in ("yes", "1", ""):
        yield Bad("run", [f"--waves={value}"], "argument --waves: ignored explicit argument")


def _arrays() -> Iterator[Bad]:
    """Yield bad inputs of an array in Verilog."""
    model = ["--analog", "model"]
    sentence = "only the top level tile has an array of the model, not chip: take analog ports"
    yield Bad("verilog", [*model, "--top", "chip"], sentence)
    sentence = "an array in Verilog has linear cells, but nonlinearity is 2 per volt: set it to 0"
    yield Bad("verilog", [*model, "--config", "curved.toml"], sentence)
    sentence = "the thresholds of 2048 ADCs with errors are .*, more than 4194304: lower adc_bits"
    yield Bad("verilog", [*model, "--config", "wide.toml"], sentence)
    yield Bad("verilog", ["--weights", "good.csv"], "weights are of an array: take analog model")
    for name, sentence in {
        "missing.csv": "weights missing.csv cannot be read: No such file or directory",
        "full": "weights full cannot be read: Is a directory",
        "empty.toml": "weights empty.toml must have a line for each of 8 rows, not 1",
        "good.toml": "weights good.toml must have a line for each of 8 rows, not [0-9]+",
        "short.csv": "weights short.csv, line 2 must have a weight for each of 8 columns, not 2",
        "words.csv": "weights words.csv, line 1 must have integers between commas, not '1.5'",
        "heavy.csv": r"weights heavy.csv, line 1: a weight must be an integer of -\d+ to ",
    }.items():
        arguments = [*model, "--config", "pku2025", "--weights", name]
        yield Bad("verilog", arguments, sentence)
    arguments = [*model, "--config", "pku2025", "--weights", "good.csv"]
    yield Bad(
        "verilog", [*arguments, "--out", "good.csv"], "good.csv .* is the weights, which is read"
    )
    sentence = "full-array.sv cannot be written: it is a folder"
    yield Bad("verilog", [*model, "--config", "pku2025", "--out", "full.v"], sentence)


def _unfit_configs() -> Iterator[Bad]:
    for job in ("run", "program", "sweep"):
        for source in ("small.toml", "narrow.toml", "pku2025"):
            sentence = (
                "digits need a tile of at least 64 rows and 10 columns, not .*: take a larger"
            )
            yield Bad(job, ["--config", source], sentence)
        yield Bad(job, ["--config", "dark.toml"], "digits need input_bits of 2 or more, not 1")
    yield Bad("spice", ["--config", "curved.toml"], "nonlinearity is 2 per volt: set it to 0")
    sentence = "a transposed product needs the differential mapping, not 'offset'"
    yield Bad("sim", ["--config", "offset.toml", "--transposed"], sentence)
    sentence = "an ADC of adc_bits=1 cannot tell the 8 levels of a cell"
    yield Bad("program", ["--config", "coarse.toml"], sentence)
    sentence = "ADCs of adc_bits 1 have no linearity to measure: take 2 or more"
    yield Bad("physics", ["--config", "coarse.toml"], sentence)
    sentence = (
        "a ramp over 2048 ADCs of 16 bits and .* codes beyond does not fit into memory: lower"
    )
    yield Bad("physics", ["--config", "wide.toml"], sentence)


def _programs() -> Iterator[Bad]:
    for path, sentence in {
        "missing.s": "missing.s cannot be read: No such file or directory",
        "full": "full cannot be read: Is a directory",
        "file/x": "file/x cannot be read: Not a directory",
        "loop": "loop cannot be read: Too many levels of symbolic links",
        LONG: r"l+\.\.\.l+ \(300 characters\) cannot be read: File name too long",
        "a\0b": r"a\\x00b cannot be read: a path holds no null character",
        "": r"\. cannot be read: Is a directory",
        "latin-1.s": "it is no UTF-8 text, line 1 has the byte 0xb5; save it as UTF-8",
        "utf-16.s": "utf-16.s cannot be read: it is UTF-16 text: save it as UTF-8",
        "utf-32.s": "utf-32.s cannot be read: it is UTF-32 text: save it as UTF-8",
        "long.s": "long.s cannot be read: it has more than 16777216 bytes: shorten it",
        "unknown.s": "unknown.s, line 1, column 2: there is no instruction HLT: did you mean HALT",
        "huge.s": "line 1, column 9: a number of 5002 characters is too long: write at most 100",
        "nines.s": "line 1, column 9: a number of 5000 characters is too long: write at most 100",
        "name.s": "line 1, column 1: a name of 5000 characters is too long: write at most 100",
        "wide.s": "68719476735 is not in the range -2147483648 to 2147483647",
        "scalar.s": "d must be a scalar, s0 to s15",
        "count.s": "HALT has 1 operands and needs none",
        "target.s": "nowhere is not defined",
        "again.s": "line 2, column 1: a is defined already",
        "nul.s": r"'\\x00' does not begin a number, name or sign",
    }.items():
        yield Bad("assemble", [path], sentence)
    yield Bad("assemble", [], "the following arguments are required: FILE")
