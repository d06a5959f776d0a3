"""The product unit under Verilator, with physics behind every tile."""

import numpy as np
import pytest

from golden.config import ChipConfig, load
from hw import verilog
from sim.runner import Build
from tests.products import Outcome, Product, Products, Scenario, Setting


def build(config: ChipConfig) -> Build:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(verilog.TOPS, "products", Products)
        return Build(config, "products", "verilator")


def run(scenario: Scenario) -> Outcome:
    """Run a scenario in RTL and compare it with the model."""
    outcome = build(scenario.config).run("tests.tb_products", scenario)
    expected, machine = scenario.expected()
    for want, got in zip(expected, outcome.done, strict=True):
        assert got == want
    for g_s, tile in zip(outcome.conductances, machine.tiles, strict=True):
        np.testing.assert_array_equal(g_s, tile.analog.array.g_s)
    return outcome


def fast(tiles: int) -> ChipConfig:
    """Return a chip whose tiles are busy converting: 8 columns share an ADC."""
    return load("digits", rows=16, columns=16, adcs=2, tiles=tiles, vector_words=4096)


def throughput(tiles: int, count: int) -> tuple[Outcome, float]:
    setting = Setting(fast(tiles))
    rng = np.random.default_rng(1)
    setting.vector[:] = rng.integers(-32, 32, 4096)
    setting.add(0, rng.integers(-60, 61, (16 * tiles, 16)), resident=True)
    outcome = run(setting.scenario([Product(0, d=4096 - count * 16, a=0, count=count)]))
    return outcome, tiles * count / outcome.cycles[0]


def test_speed():
    one, pace_one = throughput(1, 48)
    four, pace_four = throughput(4, 48)
    print(pace_one, pace_four, pace_four / pace_one, one.cycles, four.cycles)
    for c in four.counters[0]:
        print(c["adc_cycles"] / four.cycles[0], c)
