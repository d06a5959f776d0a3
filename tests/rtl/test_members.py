"""Every member of every component and signature is as wide as its documentation says."""

import inspect
import re
import sys
from typing import Any

import pytest
from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data, stream, wiring

from tests.support.components import ARGUMENTS, COMPONENTS, make, public
from tests.support.configs import chip

CONFIG = chip(rows=4, columns=4, tiles=3, lanes=2, invertible=True)

SIGNATURES = [each for each in public(wiring.Signature) if "Members\n" in (each.__doc__ or "")]


class Names(dict[str, Any]):
    """Names in a Members section: arguments, shapes, figures of a configuration."""

    def __init__(self, made: Any):
        module = vars(sys.modules[type(made).__module__])
        shapes = {"unsigned": unsigned, "signed": signed, "range": range}
        own = {name: value for name, value in vars(made).items() if isinstance(value, int)}
        super().__init__(module | shapes | ARGUMENTS | {"config": CONFIG} | own)
        self._tables = [CONFIG, *(getattr(CONFIG, name) for name in CONFIG.TABLES)]

    def __missing__(self, name: str) -> Any:
        return next(getattr(table, name) for table in self._tables if hasattr(table, name))


def width(text: str, names: Names) -> int | None:
    """Return the width that a Members section gives in words; None for a signature."""
    text = re.sub("^stream of | bits?$", "", text.removesuffix(", always ready"))
    if " x " in text:
        count, each = text.split(" x ", 1)
        inner = width(each, names)
        return None if inner is None else int(eval(count.strip("`"), {}, names)) * inner
    text = text.replace("`", "").rpartition("hw.")[2].rpartition(".")[2]
    if "." in text:
        return None
    value = eval(text, {}, names)
    if isinstance(value, int):
        return value
    if isinstance(value, type) and issubclass(value, wiring.Signature):
        return None
    if inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, data.Layout)):
        value = value(CONFIG)
    return Shape.cast(value).width


def members(each: type[Any]) -> list[tuple[str, str, str]]:
    """Return name, direction and width in words of each documented member."""
    _, _, section = "".join(filter(None, (base.__doc__ for base in each.__mro__[:2]))).partition(
        "    Members\n    -------\n"
    )
    found = []
    for names, side, words in re.findall(r"^    (\w[\w, ]*) : (In|Out), (.*)$", section, re.M):
        names = names.split(", ")
        texts = re.split(", (?:and )?| and ", words.removesuffix(" each"))
        if len(names) == 1 or len(texts) != len(names):
            texts = [words.removesuffix(" each")] * len(names)
        found += [(name, side, text) for name, text in zip(names, texts, strict=True)]
    return found


@pytest.mark.parametrize("each", [*COMPONENTS, *SIGNATURES], ids=lambda each: each.__name__)
def test_members_are_as_wide_as_documented(each):
    made = make(each, config=CONFIG)
    signature = made if isinstance(made, wiring.Signature) else made.signature
    documented = members(each)
    assert {name for name, _, _ in documented} >= set(signature.members)
    names = Names(made)
    for name, side, text in documented:
        if name not in signature.members:
            continue
        member = signature.members[name]
        assert member.flow.name == side, name
        if member.is_signature and not isinstance(member.signature, stream.Signature):
            continue
        shape = member.signature.members["payload"].shape if member.is_signature else member.shape
        count = 1
        for length in member.dimensions:
            count *= length
        assert width(text, names) == count * Shape.cast(shape).width, (name, text)
