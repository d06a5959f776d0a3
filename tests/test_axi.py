"""AXI: registers and packets in RTL, driven by independent masters."""

import pytest

from golden.config import load
from hw import verilog
from sim.runner import Build
from tests.link_tops import AxiDevice
from tests.tb_axi import AxiJob

CONFIG = load("digits", tiles=1)


@pytest.fixture(scope="module")
def build():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(verilog.TOPS, "axi_device", AxiDevice)
        yield Build(CONFIG, "axi_device", "verilator")


@pytest.mark.parametrize("pauses, seed", [(0.0, 0), (0.3, 1), (0.7, 2)])
def test_masters_that_pause_are_served(build, pauses, seed):
    assert build.run("tests.tb_axi", AxiJob(CONFIG, pauses, seed)) == "passed"
