"""Drive `sar_tile` with random inputs, the array of the model behind it."""

from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from golden.tile.analog import Analog
from sim.own_rtl import OwnArray
from spec.load import load

SIGNALS = {
    "mode": 1,  # MVM, always
    "cell": 0,
    "amplitude": 0,
    "step": 1,  # a code is two units
    "code": [f"dac[{line}]" for line in range(4)],
    "strobe": "~start_n",
    "settled": "ready",
    "sample": "hold",
    "select": "channel",
    "trial": ["sar0", "sar1"],
    "above": "cmp",
    "beyond": None,  # nobody asks
    "codes": ["code0", "code1"],
    "codes_valid": "done",
}
PRODUCTS = 200


@cocotb.test(timeout_time=100, timeout_unit="us")
async def products(dut):
    config = load(str(Path(__file__).with_name("chip.toml")))
    rng = np.random.default_rng(0)
    weights = rng.integers(*config.weight_range, (4, 4), endpoint=True)
    array = OwnArray(dut, Analog.programmed(config, weights), SIGNALS, reset="~rst_n")
    Clock(dut.clk, 10, "ns").start()
    dut.go.value = 0
    dut.rst_n.value = 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst_n.value = 1
    array.start()
    for vector in rng.integers(-2, 1, (PRODUCTS, 4), endpoint=True):
        for line, value in enumerate(vector):
            dut.x[line].value = int(value) & 3
        dut.go.value = 1
        await FallingEdge(dut.clk)
        dut.go.value = 0
        while dut.busy.value == 1:
            await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    array.check(conversions=2 * PRODUCTS)
