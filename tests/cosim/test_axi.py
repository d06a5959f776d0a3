"""AXI: registers and packets in RTL, driven by independent masters."""

import pytest

from hw.tools import verilog
from sim.runner import Build
from spec.isa import ErrorCode
from spec.load import load
from tests.support.axi_streams import PacketsJob
from tests.support.link_job import LinkJob
from tests.support.link_tops import AxiDevice

CONFIG = load("digits", tiles=1)


@pytest.fixture(scope="module")
def build():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(verilog.TOPS, "axi_device", AxiDevice)
        yield Build(CONFIG, "axi_device", "verilator")


@pytest.mark.parametrize("pauses, seed", [pytest.param(0.0, 0, marks=pytest.mark.slow), (0.6, 1)])
def test_masters_that_pause_are_served(build, pauses, seed):
    assert build.run("tests.support.tb_axi", LinkJob(CONFIG, pauses, seed)) == "passed"


def test_ten_thousand_packets_of_any_kind(build):
    codes = build.run("tests.support.tb_packets", PacketsJob(CONFIG, 10_000, seed=7))
    assert codes.total() == 10_000
    for code in ErrorCode:
        # Streams damage nothing.
        met = code is ErrorCode.NONE or (code >= ErrorCode.BUSY and code is not ErrorCode.CRC)
        assert (codes[code] > 20) == met, code
