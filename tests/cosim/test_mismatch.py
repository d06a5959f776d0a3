"""A mismatch names its place: RTL and arrays are broken in one, and it must be found."""

import dataclasses
import re

import numpy as np
import pytest

from environment.tools import ToolError, icarus
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from hw.tile.tile import Tile as TileRtl
from hw.tools import verilog
from sim.job import TileJob
from sim.runner import Build
from tests.support.configs import full_width

try:
    icarus()
    BRIDGE = "icarus"
except ToolError:
    BRIDGE = "verilator"

CONFIG = full_width(rows=4, columns=6, cell_bits=2, slices=3, input_bits=6, dac_bits=2, adcs=2)
UNIT = full_width(rows=4, columns=6, slices=3, input_bits=6, mapping="offset", adcs=2)
ROW, COLUMN = 2, 4
VECTORS = np.array(
    [
        # Nothing on the row; its lowest digit alone; all of it.
        [[5, -3, 0, 1], [31, -32, 0, 7], [0, 1, 3, -1], [9, 9, -32, 9]],
    ]
)[0]
COMMAND = "make sim TB=tile CONFIG=mine SEED=7"


def job(config, weights, altered=None):
    steps = np.zeros(config.steps, np.int64)
    behind = None if altered is None else Analog.ideal(config, altered)
    return TileJob(Analog.ideal(config, weights), VECTORS, steps, reproduce=COMMAND, behind=behind)


def run(done):
    """Run a job through the harness and over the bridge: both find, and report, the same."""
    outcome = Build(done.config, "tile", "harness").run("sim.harness.tile", done)
    bridged = Build(done.config, "tile", BRIDGE).run("sim.tb_tile", done)
    assert outcome.mismatch == bridged.mismatch
    assert outcome.wrong == bridged.wrong
    np.testing.assert_array_equal(outcome.results, bridged.results)
    np.testing.assert_array_equal(outcome.latencies, bridged.latencies)
    return outcome


def report(outcome):
    """Return the fields of a report, of which each is there exactly once."""
    head, *lines = outcome.mismatch.splitlines()
    fields = [re.fullmatch(r"  (\w+) +(.*)", line).groups() for line in lines]
    assert len(dict(fields)) == len(fields)
    return {"mismatch": head, **dict(fields)}


def first_conversion(config, vector, plane):
    """Return the cycle in which a plane is sampled, without pauses, counted by the bridge."""
    planes = vector * config.planes + plane
    return 1 + config.settle_cycles + planes * config.forward.plane_cycles


@pytest.mark.parametrize("s", [0, 2])
def test_an_altered_cell_is_found(s):
    """One more level in one cell; row 2 of the column is not driven before vector 2, plane 2."""
    weights = np.zeros((CONFIG.array.rows, CONFIG.array.columns), np.int64)
    altered = weights.copy()
    altered[ROW, COLUMN] = CONFIG.radix**s
    outcome = run(job(CONFIG, weights, altered))
    np.testing.assert_array_equal(outcome.results, VECTORS @ altered)
    np.testing.assert_array_equal(outcome.expected, VECTORS @ weights)
    fields = report(outcome)
    sampled = first_conversion(CONFIG, 2, 2)
    assert fields == {
        "mismatch": "mismatch: 1 of 6 columns differ",
        "configuration": CONFIG.whole,
        "vector": "2",
        "plane": f"2 (sampled in cycle {sampled})",
        "slice": f"{s} (code is 3, expected 0)",
        "row": "- (all driven as expected)",
        "column": str(COLUMN),
        "cycle": fields["cycle"],
        "expected": "0",
        "actual": str(3 * CONFIG.radix**s),
        "reproduce": COMMAND,
    }
    # When the last group of the product is taken: the column is the second of three of its ADC.
    assert (
        int(fields["cycle"]) == sampled + CONFIG.forward.groups * CONFIG.converter.adc_bits + 2 + 1
    )


def test_an_altered_cell_is_found_by_a_transposed_product():
    """Inputs are columns then, and results rows; the column is driven from vector 1 on."""
    weights = np.zeros((CONFIG.array.rows, CONFIG.array.columns), np.int64)
    altered = weights.copy()
    altered[ROW, COLUMN] = 1
    vectors = np.zeros((2, CONFIG.array.columns), np.int64)
    vectors[1, COLUMN] = 3
    steps = np.zeros(CONFIG.steps, np.int64)
    wanted = TileJob(Analog.ideal(CONFIG, weights), vectors, steps, transposed=True)
    behind = Analog.ideal(CONFIG, altered)
    fields = report(run(dataclasses.replace(wanted, behind=behind)))
    assert fields["mismatch"] == "mismatch: 1 of 4 rows differ"
    assert (fields["vector"], fields["row"]) == ("1", str(ROW))
    assert fields["plane"].startswith("2 (sampled in cycle ")
    assert fields["slice"] == "0 (code is 3, expected 0)"
    assert fields["column"] == "- (all driven as expected)"
    assert (fields["expected"], fields["actual"]) == ("0", "3")


def test_an_altered_cell_of_the_offset_mapping_is_found_in_its_slice():
    weights = np.zeros((UNIT.array.rows, UNIT.array.columns), np.int64)
    altered = weights.copy()
    altered[ROW, COLUMN] = UNIT.radix
    fields = report(run(job(UNIT, weights, altered)))
    model = Tile(UNIT, Analog.ideal(UNIT, weights)).multiply(VECTORS)
    adc, group = divmod(COLUMN, UNIT.forward.groups)
    wanted = model.codes[2, 2, UNIT.converter.adcs + adc, group]
    assert fields["slice"] == f"1 (code is {wanted + 3}, expected {wanted})"
    assert (fields["vector"], fields["column"]) == ("2", str(COLUMN))


class StuckDac(TileRtl):
    """The lowest bit of the DAC of one row is stuck."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.analog.code[ROW][0].eq(0)
        return m


class WrongSum(TileRtl):
    """One bit of the results of one ADC is inverted on the way out."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        sums = m.submodules.shift_add.results.payload.sums
        m.d.comb += self.results.payload.sums[1].eq(sums[1] ^ 4)
        return m


class WrongCount(TileRtl):
    """Every drive is counted twice."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.counters.drives.eq(m.submodules.performance.counters.drives << 1)
        return m


def broken(monkeypatch, top):
    monkeypatch.setitem(verilog.TOPS, "tile", top)
    weights = np.ones((CONFIG.array.rows, CONFIG.array.columns), np.int64)
    return report(run(job(CONFIG, weights)))


def test_a_stuck_dac_is_found(monkeypatch):
    fields = broken(monkeypatch, StuckDac)
    assert fields["vector"] == "2"
    assert fields["plane"] == f"2 (sampled in cycle {first_conversion(CONFIG, 2, 2)})"
    assert fields["slice"] == "-"
    assert fields["row"] == f"{ROW} (driven with 2, expected 3)"
    assert fields["column"] == "0"
    assert (fields["expected"], fields["actual"]) == ("3", "2")
    assert fields["mismatch"] == "mismatch: 6 of 6 columns differ"


def test_a_wrong_sum_is_told_from_a_wrong_code(monkeypatch):
    fields = broken(monkeypatch, WrongSum)
    assert fields["vector"] == "0"
    assert fields["plane"] == "- (all codes as expected: slices or planes are summed wrongly)"
    assert fields["column"] == "3"
    assert (fields["expected"], fields["actual"]) == ("3", "7")


def test_a_wrong_count_is_told_where_every_word_is_right(monkeypatch):
    drives = len(VECTORS) * CONFIG.planes
    assert broken(monkeypatch, WrongCount) == {
        "mismatch": "mismatch: 1 counters differ",
        "configuration": CONFIG.whole,
        "drives": f"{2 * drives}, expected {drives}",
        "reproduce": COMMAND,
    }
