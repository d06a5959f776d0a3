"""How much of a space a test looks at: a third in `make test`, all of it in `make check`."""

import os
from collections.abc import Sequence
from typing import TypeVar

THOROUGH = "THOROUGH" in os.environ

Item = TypeVar("Item")


def share(count: int) -> int:
    """Return how many of `count` random examples to try."""
    return count if THOROUGH else max(1, count // 3)


def some(items: Sequence[Item]) -> Sequence[Item]:
    """Return which of some examples to try: the first third, or all."""
    return items[: share(len(items))]
