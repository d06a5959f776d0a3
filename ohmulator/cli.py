"""Define what all command lines share: options, refusals in one sentence, the exit status."""

import argparse
import codecs
import contextlib
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ohmulator.jobs import JOBS
from spec.errors import UserError, require, require_integer, shown

SEED_RANGE = 0, 2**32 - 1
"""Smallest and largest seed of any job: those that scikit-learn takes."""

REFUSED, INTERRUPTED = 2, 130
"""Exit status of a job that was refused or failed, and of one that was interrupted."""

LONGEST_ERROR = 400
"""Characters of a message of argparse, which repeats arguments however long they are."""


class Parser(argparse.ArgumentParser):
    """Command line of a job. Its errors are one sentence, and help names each default.

    Parameters
    ----------
    job
        A key of `JOBS`, which holds the description.
    more
        Sentences that help adds to it.
    """

    def __init__(self, job: str, more: str = ""):
        description = f"{JOBS[job]}. {more}".strip()
        super().__init__(prog=f"ohmulator {job}", description=description, allow_abbrev=False)
        self._checks: list[Callable[[argparse.Namespace], None]] = []

    def error(self, message: str) -> NoReturn:
        if len(message) > LONGEST_ERROR:
            message = f"{message[:LONGEST_ERROR]}..."
        raise UserError(f"{message} (see --help)")

    def config(self, default: str) -> None:
        """Add the option that names a configuration."""
        meaning = "preset or TOML file (default: %(default)s)"
        self.add_argument("--config", default=default, metavar="NAME", help=meaning)

    def seed(self, of: str) -> None:
        """Add the option that seeds a random choice `of` something."""
        self.integer("seed", 0, *SEED_RANGE, of)

    def integer(
        self, name: str, default: int, low: int, high: int, meaning: str, unit: str = ""
    ) -> None:
        """Add an option that is an integer of `low` to `high`; `unit` is as in an error."""
        meaning = f"{meaning}, {low} to {high} (default: %(default)s)"
        self.add_argument(f"--{name}", default=default, metavar="N", help=meaning)

        def check(args: argparse.Namespace) -> None:
            setattr(args, name, integer(name, getattr(args, name), low, high, unit))

        self._checks.append(check)

    def choice(self, name: str, default: str, choices: Sequence[str], meaning: str) -> None:
        """Add an option that is one of several words."""
        known = ", ".join(choices)
        meaning = f"{meaning}: {known} (default: %(default)s)"
        self.add_argument(f"--{name}", default=default, metavar="NAME", help=meaning)

        def check(args: argparse.Namespace) -> None:
            value = getattr(args, name)
            require(value in choices, f"{name} must be one of {known}, not {shown(value)}")

        self._checks.append(check)

    def out(self, default: str, meaning: str, kind: str = "FOLDER") -> None:
        """Add the option for where results go.

        The default may name other options in braces; `{config}` is the name without folder and
        suffix.
        """
        self.add_argument("--out", type=Path, metavar=kind, help=f"{meaning} (default: {default})")

        def check(args: argparse.Namespace) -> None:
            if args.out is None:
                stem = Path(vars(args).get("config") or "").stem
                args.out = Path(default.format_map(vars(args) | {"config": stem}))

        self._checks.append(check)

    def json(self) -> None:
        """Add the option for the file of figures."""
        self.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")

    def read(self, argv: Sequence[str]) -> Any:
        """Return the options of a command line, checked.

        Raises
        ------
        UserError
            If an argument is unknown, missing or out of its range.
        """
        args = self.parse_args(argv)
        for check in self._checks:
            check(args)
        return args


def integer(name: str, text: str | int, low: int, high: int, unit: str = "") -> int:
    """Return an argument that is an integer of `low` to `high`; `unit` is as in an error.

    Raises
    ------
    UserError
        If it is none.
    """
    value: object = text
    # argparse makes a list of a lone `--`.
    with contextlib.suppress(ValueError, TypeError):
        value = int(text)
    return require_integer(name, value, low, high, unit)


class Main(Protocol):
    """Run a job; see `job`."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def job(work: Callable[[Sequence[str]], int]) -> Main:
    """Return the `main` of a job, which never raises what its user can do something about.

    It takes the arguments, those of the process by default, and returns the exit status: what
    `work` returns, 0 after help, 2 after a refusal, 3 where a simulator failed and there is no
    verdict, each said in one sentence on standard error, or 130 after an interrupt.
    """

    @functools.wraps(work)
    def main(argv: Sequence[str] | None = None) -> int:
        prepare_streams()
        try:
            return _flushed(work, sys.argv[1:] if argv is None else argv)
        except UserError as error:
            return _complain(f"error: {error}", error.status)
        except OSError as error:
            path = f"{error.filename}: " if error.filename else ""
            return _complain(f"error: {path}{error.strerror or error}")
        except MemoryError:
            return _complain("error: there is not enough memory: take a smaller configuration")
        except KeyboardInterrupt:
            return _complain("interrupted", INTERRUPTED)

    return main


def say(text: str) -> None:
    """Print a text as it is.

    Raises
    ------
    UserError
        If standard output cannot be written. That its reader has left is no error.
    """
    with _standard_output():
        print(text, flush=True)


def printable(text: object) -> str:
    """Return a text in one line, with escapes for what cannot be printed."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in str(text)
    )


def prepare_streams() -> None:
    """Let standard output and error take any text, whatever their encoding.

    Bytes of a path that are no text leave as they came, and characters that the encoding lacks as
    escapes.
    """
    codecs.register_error("ohmulator", _encode_anyway)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="ohmulator")


def drop_output() -> None:
    """Let standard output go nowhere: nobody reads it any more."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


@contextlib.contextmanager
def _standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        drop_output()
        raise UserError(f"standard output cannot be written: {error.strerror}") from None


def _flushed(work: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Return the exit status of a job after all that it printed has left."""
    try:
        status = work(argv)
    except SystemExit as end:
        # Help was printed.
        status = int(end.code or 0)
    with _standard_output():
        print(end="", flush=True)
    return status


def _encode_anyway(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    # Single bytes fit only where a character may be one, which UTF-16 refuses.
    bytewise = "\n".encode(error.encoding) == b"\n"
    try:
        return codecs.lookup_error("surrogateescape" if bytewise else "backslashreplace")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def _complain(sentence: str, status: int = REFUSED) -> int:
    """Print a sentence on standard error, and return an exit status."""
    # Nobody can be told that standard error is closed.
    with contextlib.suppress(OSError):
        print(printable(sentence), file=sys.stderr, flush=True)
    return status
