"""The serial line: its rate, and a host that talks over it to the RTL with an independent UART."""

import pytest

from hw.link.serial_line import divisor
from hw.link.uart import UartCarrier
from hw.tools import verilog
from sim.runner import Build
from spec.errors import UserError
from spec.load import load
from tests.support.link_job import LinkJob
from tests.support.link_tops import UartDevice

CONFIG = load("digits", tiles=1)


@pytest.mark.parametrize(
    "clock_hz, baud, cycles",
    [(12e6, 115200, 104), (100e6, 115200, 868), (100e6, 12.5e6, 8), (1e6, 9600, 104)],
)
def test_divisor_is_the_nearest(clock_hz, baud, cycles):
    assert divisor(clock_hz, baud) == cycles


@pytest.mark.parametrize(
    "clock_hz, baud, message",
    [
        (
            12e6,
            1.4e6,
            "baud of 1.4e\\+06 is .4.7619 % off .* take one of 1.2e\\+06, 1.33333e\\+06, 1.5e",
        ),
        (100e6, 12e6, "baud of 1.2e\\+07 is .4.16667 % off"),
        (1e6, 115200, "baud of 115200 is .3.54938 % off .* take one of 100000, 111111, 125000"),
        (1e6, 2e5, "baud must be at most 125000 with a clock of 1e.06 Hz .8 cycles a bit., not"),
        (1e6, 0, "baud must be positive, not 0"),
    ],
)
def test_rates_that_cannot_be_had_are_refused(clock_hz, baud, message):
    with pytest.raises(UserError, match=message):
        UartCarrier(clock_hz, baud)


@pytest.fixture(scope="module")
def build():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(verilog.TOPS, "uart_device", UartDevice)
        yield Build(CONFIG, "uart_device", "verilator")


@pytest.mark.parametrize("rate", [0.98, 1.02])
def test_nothing_is_lost_at_rates_two_percent_off(build, rate):
    outcome = build.run("tests.support.tb_uart", LinkJob(CONFIG, rate=rate))
    assert outcome.wrong == 0
    assert outcome.counted == [3, 3, 73]
    assert outcome.link["packets"] > 20
    assert all(count == 0 for name, count in outcome.link.items() if name != "packets")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_fault_is_found_and_every_transfer_completes(build, seed):
    outcome = build.run("tests.support.tb_uart", LinkJob(CONFIG, 5e-3, seed))
    assert outcome.faults >= 10
    assert outcome.wrong == 0
    assert outcome.counted == [3, 3, 76], "something was executed twice or never"
    assert outcome.link["damaged"] > 0
    assert outcome.link["breaks"] > 0
