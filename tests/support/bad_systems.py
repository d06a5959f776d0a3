"""Bad inputs of `make solve`, and the files in which they are bad."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

MARKET = "%%MatrixMarket matrix "
TEXTS = {
    "good.mtx": f"{MARKET}array real general\n2 2\n2\n0\n0\n2\n",
    "nothing.mtx": "",
    "words.mtx": "two words\n",
    "none.mtx": f"{MARKET}array real general\n0 0\n",
    "cut.mtx": f"{MARKET}coordinate real general\n2 2 4\n1 1 1.0\n",
    "vast.mtx": f"{MARKET}coordinate real general\n100000000 100000000 1\n1 1 1.0\n",
    "outside.mtx": f"{MARKET}coordinate real general\n2 2 1\n3 3 1.0\n",
    "nan.mtx": f"{MARKET}array real general\n2 2\nnan\n0\n0\n2\n",
    "infinite.mtx": f"{MARKET}array real general\n2 2\n1e400\n0\n0\n2\n",
    "wide.mtx": f"{MARKET}array real general\n2 3\n1\n2\n3\n4\n5\n6\n",
    "side3.mtx": f"{MARKET}array real general\n3 1\n1\n2\n3\n",
}
ARRAYS = {
    "vector": np.ones(3),
    "cube": np.ones((2, 2, 2)),
    "number": np.float64(3),
    "truth": np.eye(2, dtype=bool),
    "letters": np.array([["a", "b"]]),
    "void": np.zeros((0, 0)),
    "tall": np.ones((4, 2)),
    "missing": np.array([[np.nan, 1], [1, 1]]),
}


def make_systems(folder: Path) -> None:
    """Write the files of systems into a folder."""
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, array in ARRAYS.items():
        np.save(folder / f"{name}.npy", array)
    np.savez(folder / "several.npz", np.eye(2))
    (folder / "several.npz").rename(folder / "several.npy")
    (folder / "folder.mtx").mkdir()
    (folder / "loop.npy").symlink_to("loop.npy")
    (folder / "text.npy").write_text("1 2 3\n", encoding="utf-8")


FILES = {
    "": r"\. must be a Matrix Market file \(.mtx\) or an array of NumPy \(.npy\), not ''",
    "good.toml": "good.toml must be a Matrix Market file .*, not '.toml'",
    "absent.mtx": "absent.mtx cannot be read: ",
    "absent.npy": "absent.npy cannot be read: No such file or directory",
    "a\0b.npy": r"a\\x00b.npy cannot be read: ",
    "full": "full must be a Matrix Market file",
    "folder.mtx": "folder.mtx cannot be read: Is a directory",
    "file/x.mtx": "file/x.mtx cannot be read: Not a directory",
    "loop.npy": "loop.npy cannot be read: Too many levels of symbolic links",
    f"{'l' * 300}.npy": r"l+\.npy \(304 characters\) cannot be read: File name too long",
    "nothing.mtx": "nothing.mtx cannot be read: .*Not a Matrix Market file",
    "words.mtx": "words.mtx cannot be read: .*Not a Matrix Market file",
    "none.mtx": "none.mtx has the shape 0 x 0, and no numbers in it",
    "cut.mtx": "cut.mtx cannot be read: Truncated file",
    "vast.mtx": "vast.mtx of 100000000 x 100000000 has 1 entries: at most 16777216 rows",
    "outside.mtx": "outside.mtx cannot be read: ",
    "text.npy": "text.npy cannot be read: ",
    "several.npy": "several.npy holds several arrays: save one with numpy.save",
    "truth.npy": "truth.npy must hold numbers, not bool",
    "letters.npy": "letters.npy must hold numbers, not <U1",
    "void.npy": "void.npy has the shape 0 x 0, and no numbers in it",
    "vector.npy": r"vector.npy must be a matrix \[m, n\], not 1-dimensional",
    "cube.npy": r"cube.npy must be a matrix \[m, n\], not 3-dimensional",
    "number.npy": r"number.npy must be a matrix \[m, n\], not 0-dimensional",
    "nan.mtx": r"the matrix must be finite, but entry \(0, 0\) is nan",
    "infinite.mtx": r"the matrix must be finite, but entry \(0, 0\) is inf",
    "missing.npy": r"the matrix must be finite, but entry \(0, 0\) is nan",
    "wide.mtx": "the matrix of 2 x 3 is not square: ask for least squares",
    "tall.npy": "the matrix of 4 x 2 is not square: ask for least squares",
}
"""Patterns by a file that is no matrix which can be solved."""

SIDES = {
    "side3.mtx": "side3.mtx must have 2 rows, as the matrix has, not 3",
    "vector.npy": "vector.npy must have 2 rows, as the matrix has, not 3",
    "cube.npy": "cube.npy must have 2 rows, as the matrix has, not 2",
    "missing.npy": r"the right-hand side must be finite, but entry",
    "letters.npy": "letters.npy must hold numbers, not <U1",
}
"""Patterns by a file that is no right-hand side of two rows."""

TOLERANCES = ("x", "", "0", "-1", "nan", "inf", "1e-15", "2", "9" * 5000)


def bad_systems() -> Iterator[tuple[list[str], str]]:
    """Yield arguments of `make solve`, and the pattern of the sentence that refuses them."""
    for path, sentence in FILES.items():
        yield ["--a", path], sentence
    for path, sentence in SIDES.items():
        yield ["--a", "good.mtx", "--b", path], sentence
    yield ["--b", "good.mtx"], "b needs a: give the matrix of its system"
    for value in TOLERANCES:
        yield [f"--tol={value}"], "tol must be a number of 1e-14 to 1 of the right-hand side, not "
    for value in ("0", "100001", "x"):
        yield [f"--count={value}"], "count must be an integer of 1 to 100000"
    for value in ("", "lu"):
        yield [f"--method={value}"], "method must be one of auto, refine, fgmres, not "
    for path in ("good.mtx", "./good.mtx"):
        yield ["--a", "good.mtx", "--out", path], "is the matrix, which is read"
    yield ["--a", "good.mtx", "--out", "x.png"], "x.png.* would hold"
    for config, sentence in {
        "offset.toml": "an inversion needs the differential mapping, not 'offset'",
        "curved.toml": "an inversion needs linear cells, but nonlinearity is 2: set it to 0",
        "narrow.toml": "an inversion needs as many rows as columns",
    }.items():
        yield ["--config", config], sentence
