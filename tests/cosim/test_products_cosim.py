"""The product unit under Verilator, with physics behind every tile: speed, and programming."""

import numpy as np
import pytest

from golden.machine.scheduler import product_cycles
from hw.tools import verilog
from sim.runner import Build
from spec.config import ChipConfig
from spec.isa import PRODUCTS, Opcode
from spec.load import load
from tests.support.products import Outcome, Product, Products, Scenario, Setting
from tests.support.share import first

COUNT = 60
"""Vectors that make the start and end of a product short beside its middle."""


def chip(tiles: int) -> ChipConfig:
    """Return a chip on which conversions take longest: four columns share an ADC."""
    return load(
        "digits",
        rows=4,
        columns=4,
        adcs=1,
        tiles=tiles,
        vector_words=2048,
        weight_words=256,
        pulse_first=8,
        pulse_limit=6,
    )


def run(scenario: Scenario) -> Outcome:
    """Run a scenario in RTL and compare it with the model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(verilog.TOPS, "products", Products)
        build = Build(scenario.config, "products", "verilator")
    outcome: Outcome = build.run("tests.support.tb_products", scenario)
    expected, machine = scenario.expected()
    for want, got in zip(expected, outcome.done, strict=True):
        assert got == want
    for g_s, tile in zip(outcome.conductances, machine.tiles, strict=True):
        np.testing.assert_array_equal(g_s, tile.analog.array.g_s)
    return outcome


def random_setting(tiles: int) -> tuple[Setting, np.random.Generator]:
    setting, rng = Setting(chip(tiles)), np.random.default_rng(tiles)
    setting.vector[:] = rng.integers(-40, 40, len(setting.vector))
    return setting, rng


def products_on(tiles: int, opcode: Opcode) -> Outcome:
    """Multiply by a matrix, or its transpose, of as many blocks as there are tiles, which hold it.

    The vectors are longer than the results.
    """
    setting, rng = random_setting(tiles)
    length = 4 * tiles
    shape = (length, 4) if opcode is Opcode.MVM else (4, length)
    setting.add(0, rng.integers(-60, 61, shape), first=tiles - 1, resident=True)
    product = Product(0, d=COUNT * length, a=0, count=COUNT, opcode=opcode)
    return run(setting.scenario([product]))


@pytest.mark.parametrize("opcode", first(PRODUCTS, 1))
def test_tiles_are_busy_converting_and_four_are_almost_four_times_as_fast_as_one(opcode):
    pace = {}
    for tiles in (1, 4):
        outcome = products_on(tiles, opcode)
        (cycles,) = outcome.cycles
        for counters in outcome.counters[0]:
            assert counters["adc_cycles"] >= 0.9 * cycles
        transposed = opcode is Opcode.MVM_T
        shape = (4, 4 * tiles) if transposed else (4 * tiles, 4)
        assert cycles <= product_cycles(chip(tiles), *shape, COUNT, transposed=transposed)
        # Blocks times vectors per cycle.
        pace[tiles] = tiles * COUNT / cycles
    assert pace[4] >= 3.6 * pace[1]


def test_a_matrix_four_times_what_the_tiles_hold_is_programmed_by_pulses():
    setting, rng = random_setting(4)
    # Four row blocks and four column blocks, the last of each incomplete.
    setting.add(0, rng.integers(-60, 61, (15, 14)), first=1)
    product = Product(0, d=1024, a=0, shift=3, count=5)
    outcome = run(setting.scenario([product]))
    assert outcome.done[0].counts["reprograms"] == 16
    for counters in outcome.counters[0]:
        assert counters["pulses"] > 256
