"""Make folders that are kept to be used again: once, whole or not at all."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def made(folder: Path, make: Callable[[Path], None]) -> None:
    """Let `make` fill an empty folder that becomes `folder`, unless that is there already.

    Whoever wants the same at the same time waits. A maker that fails or is killed leaves nothing
    that could be taken for the folder.

    Raises
    ------
    OSError
        If the folder cannot be made.
    """
    with _locked(folder.with_name(f"{folder.name}.lock")):
        if folder.exists():
            return
        prefix = f"{folder.name}.part-"
        for left in folder.parent.glob(f"{prefix}*"):
            # Of a maker that was killed.
            shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
        try:
            make(part)
            part.chmod(0o755)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock, which the system takes away from a process that ends in any way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
