"""Read systems of equations: Matrix Market files and NumPy arrays, refused before they are read."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spec.errors import UserError, require, shown
from spec.files import named, reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = ".mtx", ".npy"
"""Of the files that can be read."""

MOST_ENTRIES = 1 << 24
"""Most numbers of a file: 128 MiB in float64."""


def require_readable(path: Path) -> None:
    """Raise `UserError` unless a file is one that `read_matrix` may read."""
    require(
        path.suffix in SUFFIXES,
        f"{named(path)} must be a Matrix Market file (.mtx) or an array of NumPy (.npy), not "
        f"{shown(path.suffix)}",
    )
    with _sentences(path), open(path, "rb"):
        pass


def read_matrix(path: Path) -> Any:
    """Return the matrix or vector of a readable file, [m, n] or [m]: sparse where the file is.

    Raises
    ------
    UserError
        If the file is too large, or has no numbers in it.
    """
    with _sentences(path):
        return _read_market(path) if path.suffix == ".mtx" else _read_array(path)


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn errors about a file into sentences."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{named(path)} {error}") from None
    except OSError as error:
        raise UserError(f"{named(path)} cannot be read: {reason(error)}") from None
    except (ValueError, OverflowError, EOFError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise UserError(f"{named(path)} cannot be read: {why}") from None


def _read_market(path: Path) -> Any:
    from scipy.io import mminfo, mmread
    from scipy.sparse import csr_array

    rows, columns, entries, form, *_ = mminfo(path)
    sparse = form == "coordinate"
    _require_size((rows, columns), entries if sparse else rows * columns)
    found = mmread(path)
    return csr_array(found) if sparse else found


def _read_array(path: Path) -> "NDArray[Any]":
    import numpy as np

    array = np.load(path, mmap_mode="r", allow_pickle=False)
    require(isinstance(array, np.ndarray), "holds several arrays: save one with numpy.save")
    _require_size(array.shape, array.size)
    require(array.dtype.kind in "iufc", f"must hold numbers, not {array.dtype}")
    return np.array(array)


def _require_size(shape: tuple[int, ...], entries: int) -> None:
    text = " x ".join(map(str, shape))
    require(math.prod(shape) > 0, f"has the shape {text}, and no numbers in it")
    fits = entries <= MOST_ENTRIES and max(shape, default=0) <= MOST_ENTRIES
    require(
        fits,
        f"of {text} has {entries} entries: at most {MOST_ENTRIES} rows and entries can be solved",
    )
