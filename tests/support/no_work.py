"""Jobs that refuse their input before they import what they work with."""

import builtins
import contextlib
from collections.abc import Iterator

HEAVY = {
    *("numpy", "scipy", "sklearn", "matplotlib", "amaranth", "cocotb", "cocotb_tools", "rich"),
    *("sphinx", "golden", "hw", "sim"),
}
"""Packages that jobs work with."""


READING = {"numpy", "scipy", "golden", "rich"}
"""Those with which the numbers of a file are read and looked at, which may take a while."""


@contextlib.contextmanager
def no_work(*, reading: bool = False) -> Iterator[None]:
    """Let nothing be imported that a job works with; READING may be where numbers are read."""
    import_ = builtins.__import__
    refused = HEAVY - READING if reading else HEAVY

    def light(name, globals=None, locals=None, fromlist=(), level=0):
        package = name.partition(".")[0]
        assert level or package not in refused, f"{name} is imported before a refusal"
        return import_(name, globals, locals, fromlist, level)

    builtins.__import__ = light
    try:
        yield
    finally:
        builtins.__import__ = import_
