"""Names of modules in tidied RTLIL: like ones share one, unlike ones never do."""

import re

from amaranth.back import rtlil
from amaranth.hdl import Module, Signal

from hw.tools.tidy import tidy


def names(**operations):
    """Return the modules of a design with a module for each operation, by name of the submodule."""
    m = Module()
    a, outputs = Signal(4), []
    for name, operate in operations.items():
        inner, out = Module(), Signal(4, name=f"out_{name}")
        inner.d.sync += out.eq(operate(a))
        setattr(m.submodules, name, inner)
        outputs.append(out)
    text = tidy(rtlil.convert(m, name="top", ports=[a, *outputs], emit_src=False))
    found = re.findall(r"^module \\(\S+)", text, re.MULTILINE)
    assert len(found) == len(set(found)), "two modules have one name"
    cells = dict(re.findall(r"^  cell \\(\S+) \\(\S+)", text, re.MULTILINE))
    assert {*cells} <= {*found}
    return {instance: kind for kind, instance in cells.items()}, found


def up(a):
    return a + 1


def down(a):
    return a - 1


def test_a_module_drops_the_number_of_its_instance():
    cells, found = names(part_0=up)
    assert cells == {"part_0": "top.part"}
    assert found == ["top", "top.part"]


def test_unlike_modules_whose_names_differ_in_numbers_stay_apart():
    cells, _ = names(part_0=up, part_1=down)
    assert cells == {"part_0": "top.part", "part_1": "top.part_1"}


def test_a_name_without_number_is_left_to_its_own_module():
    for operations in ({"part_0": up, "part": down}, {"part": down, "part_0": up}):
        cells, _ = names(**operations)
        assert cells == {"part": "top.part", "part_0": "top.part_0"}
