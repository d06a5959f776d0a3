"""Files that are written in full or not at all, and refused before the work for them."""

import os
import tempfile
from pathlib import Path

from spec.errors import UserError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file that is either there in full or not at all, and make its folder.

    What is no file, such as `/dev/null` or a pipe, is written to and not replaced.

    Raises
    ------
    UserError
        If the path cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def require_writable(*paths: Path | None) -> None:
    """Find out before long work that files or folders cannot be written after it.

    Raises
    ------
    UserError
        If one of them, or the nearest folder above it that exists, cannot be written.
    """
    for path in paths:
        if path is None:
            continue
        known = path.absolute()
        while not known.exists():
            known = known.parent
        if known != path.absolute() and not known.is_dir():
            raise UserError(f"{path} cannot be written: {known} is not a folder")
        if not os.access(known, os.W_OK):
            raise UserError(f"{path} cannot be written: {known} is read-only")
