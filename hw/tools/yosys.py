"""Yosys as a helper process, which may die."""

import contextlib
from collections.abc import Iterator

from amaranth._toolchain.yosys import YosysError

from spec.errors import HelperError

LONGEST_REASON = 200
"""Characters of what Yosys printed that a message repeats."""


@contextlib.contextmanager
def refuse_death(task: str) -> Iterator[None]:
    """Turn the failure of Yosys at some task into a sentence.

    Raises
    ------
    HelperError
        If Yosys failed.
    """
    try:
        yield
    except YosysError as error:
        printed = " ".join(str(error).split())[-LONGEST_REASON:]
        why = printed or "it was killed, as by a system that runs out of memory or disk"
        raise HelperError(f"Yosys failed to {task}: {why}") from None
