"""The analogue boundary in the Verilog: what leaves it comes straight from flip-flops."""

from typing import Any

import pytest
from amaranth.lib.wiring import Flow

from hw.boundary.analog import AnalogPort, Mode
from hw.boundary.macro import NAME, PREFIX, pins
from hw.tile.tile import Tile
from hw.top.axi_chip import AxiChip
from tests.support.configs import chip
from tests.support.netlist import Netlist

CONFIGS: dict[str, dict[str, Any]] = {
    "search": {},
    "offset": {"mapping": "offset"},
    "one plane, one group, one slice": {"dac_bits": 4, "adcs": 4, "slices": 1},
    "synchronised": {"settled_sync": 2, "comparator_sync": 2, "comparison_cycles": 2},
    "ADCs that search by themselves": {"conversion_s": 1e-9},
}
REGISTERS = {"$dff", "$dffe", "$sdff", "$sdffe", "$sdffce", "$adff", "$adffe"}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_output_of_the_boundary_is_a_flip_flop(name):
    config = chip(**CONFIGS[name])
    netlist = Netlist(Tile(config))
    outputs = [n for n, port in netlist.ports.items() if port["direction"] == "output"]
    found = [port for port in outputs if port.startswith(PREFIX)]
    port = AnalogPort(config)
    leaving = {f"{PREFIX}{n}" for n, member in port.members.items() if member.flow is Flow.Out}
    assert {*found} == leaving
    for each in found:
        assert netlist.drivers(netlist.ports[each]["bits"]) <= REGISTERS, each
    # The test can tell: one that answers within the cycle is none.
    assert not netlist.drivers(netlist.ports["vectors__ready"]["bits"]) <= REGISTERS


def test_every_input_of_the_macros_is_a_flip_flop():
    config = chip(tiles=2)
    netlist = Netlist(AxiChip(config, blackbox=True))
    macros = [cell for cell in netlist.cells.values() if cell["type"] == NAME]
    assert len(macros) == 2
    for cell in macros:
        for pin in pins(config):
            if pin.is_input and pin.name.startswith(PREFIX):
                assert netlist.drivers(cell["connections"][pin.name]) <= REGISTERS, pin


@pytest.mark.parametrize("stages", [2, 5])
def test_answers_pass_as_many_flip_flops_as_are_said(stages):
    """Flip-flops alone lie between each bit of the inputs and the first gate."""
    config = chip(settled_sync=stages, comparator_sync=stages)
    netlist = Netlist(Tile(config))
    for name in ("settled", "above", "beyond"):
        for bit in netlist.ports[f"{PREFIX}{name}"]["bits"]:
            assert netlist.chain(bit) == stages, name


def test_modes_are_coded_as_teams_wire_them():
    """The codes stand in macros that others design: none may ever change."""
    codes = {"IDLE": 0, "MVM": 1, "MVM_T": 2, "READ": 3, "SET": 4, "RESET": 5, "INV": 6}
    assert {name: mode.value for name, mode in Mode.__members__.items()} == codes
