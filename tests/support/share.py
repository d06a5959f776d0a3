"""How much of a space a test looks at: a third in `make test`, all of it in `make check`."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import pytest

THOROUGH = "THOROUGH" in os.environ

Item = TypeVar("Item")


def share(count: int) -> int:
    """Return how many of `count` random examples to try."""
    return count if THOROUGH else max(1, count // 3)


def some(items: Sequence[Item]) -> Sequence[Item]:
    """Return which of some examples to try: the first third, or all."""
    return items[: share(len(items))]


def first(items: Iterable[Item], count: int) -> list[Any]:
    """Return all items as parameters of a test, those behind the first few for `make check`."""
    return [
        pytest.param(item, marks=[] if number < count else pytest.mark.slow)
        for number, item in enumerate(items)
    ]
