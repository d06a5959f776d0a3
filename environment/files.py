"""Files of a job: refused before its work, written whole or not at all, and all together."""

import contextlib
import errno
import fcntl
import json
import math
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from spec.errors import UserError, require
from spec.files import named, reason

BUILDS = Path("build")
"""Folder of what is built to be used again, such as simulators."""

DESCRIPTOR = re.compile(r"/dev/(stdout|stderr)|(?:/dev/fd|/proc/self/fd)/([0-9]{1,9})")
"""Paths of files that are open already, and belong to whoever opened them."""

Content = str | bytes | Path
"""Content of a file: text, bytes, or another file whose content it is."""

PROBE = b"\0" * 4096
"""What must fit into a folder before work is done for it: a block of any usual file system."""


class Outputs:
    """Files that a job writes, refused before its work.

    Parameters
    ----------
    files
        Path of each file by its contents ("the picture"); None: the file is not wanted.
    inputs
        Path of each file that the job reads, likewise.
    folders
        Folders that the job fills in other ways, such as with builds.

    Raises
    ------
    UserError
        If one of the files or folders cannot be written, or two files are the same, by name or by
        a link, or one stands in the way of the folder of another.
    """

    def __init__(
        self,
        files: Mapping[str, Path | None],
        inputs: Mapping[str, Path] | None = None,
        folders: Iterable[Path] = (),
    ):
        self._paths = {what: path for what, path in files.items() if path is not None}
        taken = {_identity(path): f"{what}, which is read" for what, path in (inputs or {}).items()}
        targets: dict[Path, str] = {}
        for what, path in self._paths.items():
            with _sentences(path):
                if _is_stream(path):
                    _probe_stream(path)
                    continue
                targets[_probe_file(path)] = what
                other = taken.setdefault(_identity(path), what)
                require(other == what, f"it would hold {what}, but is {other}: take another path")
        needed = {folder: what for path, what in targets.items() for folder in path.parents}
        for path in folders:
            with _sentences(path):
                folder = _probe_folder(_real(path))
            needed |= {each: named(path) for each in (folder, *folder.parents)}
        for target, what in targets.items():
            with _sentences(self._paths[what]):
                require(
                    target not in needed,
                    f"it would hold {what}, but must be a folder for {needed.get(target)}: take "
                    "another path",
                )

    def write(self, contents: Mapping[str, Content]) -> list[Path]:
        """Write those files that are wanted: all of them or, on an error, none.

        Files that two jobs write at the same time all come from the one or all from the other. A
        wanted file without content is one that this job did not make: what an earlier job left at
        its path is removed, lest it be taken for a result of this one. Returns what was removed.

        Raises
        ------
        UserError
            If a file cannot be written or removed.
        """
        write_together((self._paths[what], contents[what]) for what in contents if what in self)
        removed = []
        for path in (path for what, path in self._paths.items() if what not in contents):
            with _sentences(path):
                if path.exists() and not _is_stream(path):
                    path.unlink()
                    removed.append(path)
        return removed

    def __contains__(self, what: str) -> bool:
        """Tell whether a file is wanted."""
        return what in self._paths

    def __getitem__(self, what: str) -> Path:
        """Return the path of a file that is wanted."""
        return self._paths[what]


def write_whole(path: Path, content: Content) -> None:
    """Write a file that is either there in full or not at all, and make its folder.

    What is no file, such as `/dev/null` or a pipe, is written to and not replaced.

    Raises
    ------
    UserError
        If the path cannot be written.
    """
    write_together([(path, content)])


def write_together(files: Iterable[tuple[Path, Content]]) -> None:
    """Write several files as `write_whole` does one: all of them, or none on an error.

    Raises
    ------
    UserError
        If a path cannot be written.
    """
    with contextlib.ExitStack() as stack:
        streams, ready = [], []
        for path, content in files:
            with _sentences(path):
                if _is_stream(path):
                    streams.append((path, content))
                    continue
                target = _real(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                ready.append((path, _temporary(stack, target.parent, content), target))
        for path, content in streams:
            with _sentences(path), _open_stream(path) as file:
                _fill(file, content)
        for folder in sorted({target.parent for _, _, target in ready}):
            _lock(stack, folder)
        for path, temporary, target in ready:
            with _sentences(path):
                os.replace(temporary, target)


def json_text(figures: Mapping[str, Any]) -> str:
    """Return figures as a JSON file; a number that could not be measured, not finite, is null."""
    return json.dumps(_measured(figures), indent=2, allow_nan=False) + "\n"


def _measured(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _measured(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_measured(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Make a sentence about a path of each reason why it cannot be written."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise UserError(f"{named(path)} cannot be written: {reason(error)}") from None


def _temporary(stack: contextlib.ExitStack, folder: Path, content: Content) -> str:
    """Write a file that vanishes with the stack unless it is renamed; return its path."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
    stack.callback(_remove, name)
    with os.fdopen(handle, "wb") as file:
        _fill(file, content)
    os.chmod(name, 0o644)
    return name


def _fill(file: BinaryIO, content: Content) -> None:
    if isinstance(content, Path):
        with content.open("rb") as source:
            shutil.copyfileobj(source, file)
    else:
        file.write(content.encode() if isinstance(content, str) else content)


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)


def _lock(stack: contextlib.ExitStack, folder: Path) -> None:
    """Keep other jobs from replacing files of a folder, where its file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        stack.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX)


def _is_stream(path: Path) -> bool:
    """Tell whether a path is written to as it is: a pipe, a device, an open file."""
    if DESCRIPTOR.fullmatch(str(path)):
        return True
    found = _status(path)
    return not (found is None or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))


def _open_stream(path: Path) -> BinaryIO:
    """Open a stream to write at its end."""
    found = DESCRIPTOR.fullmatch(str(path))
    if found is None:
        return path.open("ab")
    number = int(found[2]) if found[2] else ("stdout", "stderr").index(found[1]) + 1
    # A file opened anew would have a position of its own, and write over what others write.
    return os.fdopen(os.dup(number), "wb")


def _probe_stream(path: Path) -> None:
    found = path.stat()
    require(not stat.S_ISSOCK(found.st_mode), "it is a socket, neither a file nor a pipe")
    require(os.access(path, os.W_OK), "it is read-only")


def _probe_file(path: Path) -> Path:
    """Return the file itself, links followed; raise if it cannot be written."""
    target = _real(path)
    found = _status(target)
    require(found is None or not stat.S_ISDIR(found.st_mode), "it is a folder")
    require(found is None or os.access(target, os.W_OK), "it is read-only")
    _probe_folder(target.parent)
    return target


def _probe_folder(folder: Path) -> Path:
    """Return a folder, which need not exist; raise if no file can be made in it."""
    known = folder
    while (found := _status(known)) is None:
        known = known.parent
    require(stat.S_ISDIR(found.st_mode), f"{named(known)} is not a folder")
    with tempfile.TemporaryFile(dir=known) as file:
        file.write(PROBE)
    return folder


def _real(path: Path) -> Path:
    """Return the path that links lead to, absolute, of which not everything need exist yet."""
    real = Path(os.path.realpath(path))
    # The system says so only of names in folders that exist.
    longest = os.pathconf("/", "PC_NAME_MAX")
    if any(len(os.fsencode(part)) > longest for part in real.parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return real


def _status(path: Path) -> os.stat_result | None:
    """Return what is at a path, links followed, or None: nothing. Other errors are raised."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _identity(path: Path) -> object:
    """Return what is the same for two paths exactly if they lead to the same file."""
    found = _status(path)
    return _real(path) if found is None else (found.st_dev, found.st_ino)
