"""Every public component and signature of the RTL, and one of each to look at."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Const
from amaranth.lib import wiring

import hw
from hw.common.counters import ChipCounters
from spec.isa import Space
from spec.packet import identity
from tests.support.configs import full_width
from tests.support.memory_device import SIZES

FIELDS = {
    "rows": 2,
    "columns": 2,
    "adcs": 1,
    "tiles": 1,
    "lanes": 1,
    "vector_words": 32,
    "program_words": 64,
    "weight_words": 16,
    "matrices": 1,
    "settle_s": 0.0,
    "invertible": True,
}
"""A chip of which nearly everything is one, and that has everything."""

CONFIG = full_width(**FIELDS)
ARGUMENTS = {
    "config": CONFIG,
    "shape": 8,
    "layout": ChipCounters,
    "amounts": {"cycles": Const(1)},
    "longest": 4,
    "depth": 4,
    "reads": 2,
    "users": 2,
    "identity": identity(CONFIG),
    "counters": 3,
    "sizes": {space: SIZES[space] for space in Space},
    "clock_hz": 100e6,
    "baud": 1e6,
    "divisor": 8,
    "address_bits": 5,
}
"""Arguments by the names of parameters."""


def public(kind: type) -> Iterator[type[Any]]:
    """Yield every public class of a kind in the RTL."""
    for module in pkgutil.walk_packages(hw.__path__, "hw."):
        for name, each in vars(importlib.import_module(module.name)).items():
            own = inspect.isclass(each) and each.__module__ == module.name
            if own and issubclass(each, kind) and not name.startswith("_"):
                yield each


COMPONENTS = [*public(wiring.Component)]


LINKED = "TileDevice", "LinkedTile", "AxiTile", "UartTile"
"""Those of a tile behind a link, which is never invertible."""


def make(each: type[Any], **arguments: Any) -> Any:
    """Make one of a class, with the arguments of this module where nothing else is said."""
    names = inspect.signature(each.__init__).parameters
    given = ARGUMENTS | arguments
    if each.__name__ in LINKED:
        given["config"] = given["config"].replace(invertible=False)
    return each(**{name: given[name] for name in names if name in given})
