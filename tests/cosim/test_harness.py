"""The harness against the bridge: products of a tile in every configuration and at every pace."""

import dataclasses
import re

import numpy as np
import pytest
from amaranth.hdl import Signal

from environment.tools import SIMULATORS
from golden.tile.analog import Analog
from hw.tile.tile import Tile as TileRtl
from hw.tools import verilog
from sim.job import TileJob
from sim.runner import Build
from sim.tile_simulation import TileSimulation
from tests.cosim.test_cosim import check, paced_jobs
from tests.support.configs import chip, full_width, random_operands

CONFIGS = {
    "groups": {"rows": 5, "columns": 6, "adcs": 3},
    "unit column": {"rows": 5, "columns": 6, "mapping": "offset", "adcs": 3, "input_bits": 5},
    "a bit": {"rows": 4, "columns": 4, "adc_bits": 1, "adcs": 4, "accumulator_bits": 6},
    "many bits": {"rows": 4, "columns": 4, "adc_bits": 14, "adcs": 2},
    "late, synchronised": {
        "rows": 6,
        "adcs": 2,
        "settled_sync": 2,
        "comparator_sync": 3,
        "comparison_cycles": 2,
    },
    "long settling": {"columns": 8, "settle_s": 300e-9, "comparator_sync": 2},
}


def both_ways(config):
    """Return paced and interrupted jobs, forward and transposed."""
    steps = [config.forward.covering_step // 2] * config.steps
    jobs = paced_jobs(config, steps)
    return jobs + (paced_jobs(config, steps, transposed=True) if config.transposable else [])


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in list(CONFIGS)[1:]]


@pytest.mark.parametrize("name", ["groups", *SLOW])
def test_the_harness_does_what_the_bridge_does(name):
    """Words, counters and latencies are the same."""
    config = chip(**CONFIGS[name])
    jobs = both_ways(config)
    outcomes = check(config, jobs, "harness")
    for outcome, bridged in zip(outcomes, check(config, jobs, "verilator"), strict=True):
        np.testing.assert_array_equal(outcome.results, bridged.results)
        np.testing.assert_array_equal(outcome.latencies, bridged.latencies)
        # When the clock stops depends on the testbench.
        cycles = outcome.counters.pop("cycles"), bridged.counters.pop("cycles")
        assert abs(cycles[0] - cycles[1]) <= 1
        assert outcome.counters == bridged.counters


NOISY = full_width(rows=5, columns=6, mapping="offset", adcs=3)
NOISY = NOISY.replace(
    physics=NOISY.physics.replace(
        seed=5,
        read_noise=0.05,
        sense_noise=0.7,
        adc_gain=0.02,
        adc_offset=0.6,
        adc_inl=0.4,
        adc_dnl=0.2,
        dac_noise=0.05,
    )
)
"""A chip with noise in every plane, and with thresholds that are off."""


def noisy_job(**options):
    weights, vectors = random_operands(NOISY, 40)
    analog = Analog.programmed(NOISY, weights)
    return TileJob(analog, vectors, np.zeros(NOISY.steps, np.int64), idle=(0, 3), **options)


def test_noise_and_errors_meet_the_harness_draw_by_draw():
    outcome = Build(NOISY, "tile", "harness").run("sim.harness.tile", noisy_job())
    assert outcome.mismatch == ""
    np.testing.assert_array_equal(outcome.results, outcome.expected)


class OtherDrives(TileRtl):
    """One bit of the DAC code of the first row is inverted in every other drive."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        turn = Signal()
        m.d.sync += turn.eq(turn ^ self.analog.sample)
        m.d.comb += self.analog.code[0][0].eq(m.submodules.dac.code[0][0] ^ turn)
        return m


def test_what_is_not_foreseen_is_computed_from_what_is_driven(monkeypatch):
    """Reports, words and draws are those of the bridge, which computes plane by plane."""
    monkeypatch.setitem(verilog.TOPS, "tile", OtherDrives)
    done = noisy_job()
    outcome = Build(NOISY, "tile", "harness").run("sim.harness.tile", done)
    bridged = Build(NOISY, "tile", "verilator").run("sim.tb_tile", done)
    assert outcome.mismatch == bridged.mismatch != ""
    np.testing.assert_array_equal(outcome.results, bridged.results)


def changes(path):
    """Return a waveform without its date, and without answers, which mean nothing at first."""
    text = path.read_text()
    answers = tuple(re.findall(r"\$var wire 1 (\S+) above_", text))
    return [
        line
        for line in text.splitlines()
        if not line.startswith("$date") and not (line[:1] in "01" and line[1:] in answers)
    ]


def test_waveforms_of_the_boundary_are_those_of_the_bridge(tmp_path):
    traced = noisy_job(trace_cycles=150)
    Build(NOISY, "tile", "harness").run("sim.harness.tile", traced, out=tmp_path / "harness")
    Build(NOISY, "tile", "verilator").run("sim.tb_tile", traced, out=tmp_path / "bridge")
    for name in ("boundary.vcd", "boundary.gtkw"):
        assert changes(tmp_path / "harness" / name) == changes(tmp_path / "bridge" / name)


def test_what_the_harness_cannot_do_is_done_by_the_bridge_which_says_so(monkeypatch):
    config = chip()
    assert TileSimulation(config, "verilator").note == ""
    with_adcs = chip(conversion_s=30e-9)
    assert TileSimulation(with_adcs, "verilator").note == (
        "the bridge simulates, which is slower: "
        "the harness has no ADCs that search by themselves (conversion_s)"
    )
    old = dataclasses.replace(SIMULATORS["verilator"](), version="5.040")
    monkeypatch.setitem(SIMULATORS, "verilator", lambda: old)
    assert TileSimulation(config, "verilator").note == (
        "the bridge simulates, which is slower: "
        "the harness needs Verilator 5.048 or newer, not 5.040"
    )
    # What nobody else does needs no excuse.
    assert TileSimulation(config, "verilator", waves=True).note == ""
    assert TileSimulation(config, "verilator", programs=True).note == ""
