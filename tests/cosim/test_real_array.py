"""Arrays in SystemVerilog: every decision is that of the physics of the model."""

import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from environment.tools import ToolError, icarus, verilator
from golden.tile.analog import Analog
from golden.tile.write_verify import targets
from hw.boundary.analog import CellLayout
from spec.config import ChipConfig
from spec.load import load
from spec.real_array import without_noise
from tests.support.array_session import Session
from tests.support.configs import EVERY_FAULT, chip, random_operands
from tests.support.share import first


def call(*command: object, folder: Path, **env: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def session(config: ChipConfig, count: int, step: int = 1) -> Session:
    """Return products in all directions, in turns."""
    config = without_noise(config)
    weights, forward = random_operands(config, count)
    turned = random_operands(config, count, transposed=True)[1] if config.transposable else []
    vectors, transposed = [], []
    for number in range(count):
        for which, batch in enumerate((forward, turned)):
            if len(batch):
                vectors.append(batch[number])
                transposed.append(bool(which))
    steps = np.minimum(np.arange(config.steps) % 2 + step, config.step_range[1])
    return Session(config, weights, vectors, steps, transposed)


def icarus_or_skip() -> Path:
    try:
        return icarus().program
    except ToolError as error:
        pytest.skip(str(error))


def under_icarus(folder: Path, files: list[str]) -> str:
    program = icarus_or_skip()
    call(program, "-g2012", "-s", "bench", "-o", "bench.vvp", *files, folder=folder)
    return call(program.with_name("vvp"), "bench.vvp", folder=folder)


def under_verilator(folder: Path, files: list[str]) -> None:
    tool = verilator()
    env = dict(tool.env)
    if "VERILATOR_ROOT" in env:
        env["MAKEFLAGS"] += " CFG_CXXFLAGS_COROUTINES=-fcoroutines"
    run = [tool.program, "--binary", "--top-module", "bench", "-Mdir", "verilated"]
    call(*run, *files, folder=folder, **env)
    call(folder / "verilated" / "Vbench", folder=folder)


CASES = {
    "differential": chip(),
    "offset": chip(mapping="offset"),
    "faults": chip(physics=EVERY_FAULT),
    "offset-faults": chip(mapping="offset", physics=EVERY_FAULT),
    "one-adc": chip(adcs=1, rows=7, settle_s=130e-9),
    "one-bit": chip(adc_bits=1, input_bits=1, dac_bits=1),
    "slow-comparators": chip(comparison_cycles=3, comparator_sync=2, settled_sync=2),
    "self-searching": chip(conversion_s=1e-9),
    "slowly-self-searching": chip(conversion_s=41e-9, mapping="offset", physics=EVERY_FAULT),
}


def confirm(made: Session, folder: Path, least: int) -> None:
    """Assert that what a session left is what the model says, in `least` decisions or more."""
    seen = made.check(folder)
    assert seen.wrong == 0
    assert seen.decisions >= least
    assert seen.results == made.expected()


@pytest.mark.parametrize("name", first(CASES, 3))
def test_decisions_are_those_of_the_physics(name, tmp_path):
    made = session(CASES[name], 4)
    under_icarus(tmp_path, made.write(tmp_path))
    confirm(made, tmp_path, 50)


def test_decisions_are_those_of_the_physics_under_verilator(tmp_path):
    made = session(CASES["faults"], 40)
    under_verilator(tmp_path, made.write(tmp_path))
    confirm(made, tmp_path, 5000)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["digits", "rough", "pku2025"])
def test_decisions_of_presets_under_verilator(preset, tmp_path):
    made = session(load(preset, adcs=8), 20)
    under_verilator(tmp_path, made.write(tmp_path))
    confirm(made, tmp_path, 10_000)


def test_a_wrong_cell_is_seen(tmp_path):
    made = session(CASES["differential"], 4)
    sources = made.write(tmp_path)
    path = tmp_path / "tile-array-matrix.hex"
    head, rest = path.read_text().split("\n", 2)[:2], path.read_text().split("\n", 2)[2]
    wrong = np.array([30.0], ">f8").tobytes().hex()
    path.write_text("\n".join([*head, wrong, *rest.split("\n")[1:]]))
    under_icarus(tmp_path, sources)
    assert made.check(tmp_path).wrong > 0


PULSE = """module bench;
  reg clk = 0, rst = 0, strobe = 0;
  always #5 clk = ~clk;
  reg [2:0] mode;
  ohmulator_array #(.DATA("{data}")) array(
    .clk(clk), .rst(rst), .analog__strobe(strobe), .analog__mode(mode)
  );
  initial begin
    mode = {mode};
    strobe = 1;
    repeat (2) @(negedge clk);
    $finish;
  end
endmodule
"""


@pytest.mark.parametrize(
    "mode, data, sentence",
    [
        (4, "tile-array", "takes no write pulse (SET): its cells are programmed for good"),
        (5, "tile-array", "takes no write pulse (RESET): its cells are programmed for good"),
        (0, "tile-array", "is driven in mode 0, which drives nothing"),
        (1, "tile-array", "is driven with codes that are X"),
        (1, "elsewhere", "has no data: set its parameter DATA to the path before -matrix.hex"),
    ],
)
def test_what_the_array_refuses(tmp_path, mode, data, sentence):
    sources = session(chip(), 1).write(tmp_path)
    (tmp_path / "bench.sv").write_text(PULSE.format(mode=mode, data=data))
    program = icarus_or_skip()
    call(program, "-g2012", "-s", "bench", "-o", "bench.vvp", *sources, folder=tmp_path)
    done = subprocess.run(
        [program.with_name("vvp"), "bench.vvp"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"bench.array {sentence}" in done.stdout + done.stderr


READS = """module bench;
  reg clk = 0, rst = 0, strobe = 0, sample = 0;
  always #5 clk = ~clk;
  reg [{bits}:0] cell_;
  integer first;
  ohmulator_array array(
    .clk(clk), .rst(rst), .analog__strobe(strobe), .analog__mode(3'd3), .analog__cell(cell_),
    .analog__sample(sample), .analog__step('0)
  );
  task read(input [{bits}:0] which, input integer converter);
    begin
      cell_ = which;
      strobe = 1;
      @(negedge clk) strobe = 0;
      wait (array.analog__settled);
      @(negedge clk) sample = 1;
      @(negedge clk) sample = 0;
      first = ((array.bank ? array.CONVERTERS : 0) + converter) * array.GROUPS;
      $display("%h", $realtobits(array.held[first]));
    end
  endtask
  initial begin
    @(negedge clk);
{reads}
    $finish;
  end
endmodule
"""


@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_every_cell_is_read_as_the_model_reads_it(mapping, tmp_path):
    """Those of both sides, or of the unit column."""
    made = session(chip(mapping=mapping, physics=EVERY_FAULT), 1)
    config, sources = made.config, made.write(tmp_path)
    wanted = targets(config, made.weights)
    cells = [
        CellLayout(config).const(dict(zip(CellLayout(config).members, cell, strict=True))).as_bits()
        for cell in zip(
            *(each.tolist() for each in (wanted.slices, wanted.rows, wanted.adcs)),
            *(each.tolist() for each in (wanted.groups, wanted.sides)),
            strict=True,
        )
    ]
    converters = wanted.converters(config).tolist()
    reads = [f"    read({cell}, {adc});" for cell, adc in zip(cells, converters, strict=True)]
    text = READS.format(bits=CellLayout(config).size - 1, reads="\n".join(reads))
    (tmp_path / "bench.sv").write_text(text)
    printed = under_icarus(tmp_path, sources)
    values = [struct.unpack(">d", bytes.fromhex(line))[0] for line in printed.split()]
    where = wanted.slices, wanted.rows, wanted.lines(config)
    held = Analog.programmed(config, made.weights).hold_cells(*where)
    np.testing.assert_array_equal(values, held)
