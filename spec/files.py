"""Read text files that a user gives, and name paths in messages."""

import codecs
from pathlib import Path

from spec.errors import UserError, require

LONGEST_FILE = 1 << 24
"""Bytes of a file of text that are read: more than any configuration or program has."""

LONGEST_PATH = 200
"""Characters of a path that a message repeats."""

OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Encodings by the byte order mark that begins a file, longer marks first."""


def named(path: Path) -> str:
    """Return a path as a message names it: shortened if it is long."""
    text = str(path)
    if len(text) <= LONGEST_PATH:
        return text
    return f"{text[: LONGEST_PATH // 2]}...{text[-LONGEST_PATH // 4 :]} ({len(text)} characters)"


def read_text(path: Path, what: str = "") -> str:
    r"""Return the text of a file in UTF-8, with or without a byte order mark, lines ended by \n.

    Raises
    ------
    UserError
        If it cannot be read, is longer than `LONGEST_FILE` or no such text; `what` is before its
        path in the message.
    """
    name = f"{what} {named(path)}".strip()
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
        require(len(data) <= LONGEST_FILE, f"it has more than {LONGEST_FILE} bytes: shorten it")
        for mark, encoding in OTHER_ENCODINGS.items():
            require(not data.startswith(mark), f"it is {encoding} text: save it as UTF-8")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name} cannot be read: it is no UTF-8 text, line {line} has the byte "
            f"{data[error.start]:#04x}; save it as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{name} cannot be read: {reason(error)}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def reason(error: OSError | ValueError) -> str:
    """Return why a path cannot be used, in the same words under every Python."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, UserError) else "a path holds no null character"
