"""A session with a chip as plain Verilog: a testbench that needs no Python and no cocotb.

What the host says, and what the chip is to answer, come from the model; the arrays are integers.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from golden.machine.machine import Machine
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from ohmulator.compiler import compile_matrix, load, multiply
from ohmulator.host.carrier import ModelCarrier
from ohmulator.host.framing import Frame
from ohmulator.host.host import Host
from spec.config import ChipConfig
from spec.packet import HEADER, Packet, unpack

RUN_CYCLES = 600
"""Cycles that no program of a session takes."""

PASSED = "PASSED"


class Recorder:
    """A carrier that keeps what passes."""

    def __init__(self, carrier: ModelCarrier):
        self._carrier = carrier
        self.commands: list[list[int]] = []
        self.replies: list[list[int]] = []

    def send(self, words: Sequence[int]) -> None:
        self.commands.append([int(word) for word in words])
        self._carrier.send(words)

    def receive(self, timeout_s: float) -> Frame | None:
        frame = self._carrier.receive(timeout_s)
        assert frame
        self.replies.append([int(word) for word in frame.words])
        return frame

    def close(self) -> None:
        pass


def record(config: ChipConfig, weights: np.ndarray, vectors: np.ndarray) -> Recorder:
    """Return a session of the model that identifies the chip and multiplies."""
    machine = Machine(config)
    recorder = Recorder(ModelCarrier(machine))
    program = compile_matrix(config, weights)

    def set_tile(tile: int, block: np.ndarray) -> None:
        machine.tiles[tile] = Tile(config, Analog.ideal(config, block))

    with Host(recorder, config) as host:
        load(host, program, set_tile)
        results = multiply(host, program, vectors)
    np.testing.assert_array_equal(results, vectors @ weights)
    return recorder


def _array(config: ChipConfig, weights: np.ndarray) -> str:
    """Return Verilog of an ideal array of one tile: what it holds, and its comparators."""
    units = np.rint(Analog.ideal(config, weights).hold(np.eye(config.array.rows, dtype=np.int64)))
    code, adc, step = config.code_bits, config.converter.adc_bits, config.step_bits
    lines = [f"  wire signed [31:0] code_{r};" for r in range(config.array.rows)]
    lines += [
        f"  assign code_{r} = $signed(analog__0__code[{code * r} +: {code}]);"
        for r in range(config.array.rows)
    ]
    for c in range(config.converters):
        groups = range(config.forward.groups)
        lines += [f"  reg signed [31:0] held_{c} [0:{len(groups) - 1}];"]
        lines += ["  always @(posedge clk) if (analog__0__sample) begin"]
        for g in groups:
            terms = [f"code_{r} * {int(units[r, c, g])}" for r in range(config.array.rows)]
            lines += [f"    held_{c}[{g}] <= {' + '.join(terms)};"]
        slice_ = c // config.converter.adcs
        lines += [
            "  end",
            f"  wire [31:0] step_{c} = analog__0__step[{step * slice_} +: {step}];",
            f"  wire signed [31:0] trial_{c} = $signed(analog__0__trial[{adc * c} +: {adc}]);",
            f"  wire signed [31:0] value_{c} = held_{c}[analog__0__select];",
            f"  assign analog__0__above[{c}] =",
            f"    value_{c} >= (trial_{c} <<< step_{c}) - ((32'sd1 <<< step_{c}) >>> 1);",
        ]
    return "\n".join([*lines, f"  assign analog__0__beyond = {config.converters}'d0;"])


def testbench(config: ChipConfig, weights: np.ndarray, vectors: np.ndarray, stall: int) -> str:
    """Return a Verilog-2005 testbench of the top level `chip`, which prints PASSED or FAILED.

    Each word of a reply waits `stall` cycles; it and tlast must not change meanwhile.
    """
    assert config.machine.tiles == 1
    recorder = record(config, weights, vectors)
    body = []
    for command, reply in zip(recorder.commands, recorder.replies, strict=True):
        for words, task in ((command, "give"), (reply, "take")):
            for i, word in enumerate(words):
                body.append(f"    {task}(32'd{word}, 1'd{int(i == len(words) - 1)});")
        if unpack(HEADER, command[0])["type"] == Packet.RUN:
            body.append(f"    repeat ({RUN_CYCLES}) @(negedge clk);")
    widths = {
        "code": config.code_bits * config.drive_lines,
        "step": config.step_bits * config.steps,
        "trial": config.converter.adc_bits * config.converters,
        "select": config.select_bits,
        "sample": 1,
    }
    wires = "\n".join(f"  wire [{bits - 1}:0] analog__0__{n};" for n, bits in widths.items())
    pins = ", ".join(f".analog__0__{name}(analog__0__{name})" for name in [*widths, *ANSWERS])
    converters = f"[{config.converters - 1}:0]"
    return TESTBENCH.format(
        wires=wires,
        converters=converters,
        array=_array(config, weights),
        pins=pins,
        stall=stall,
        body="\n".join(body),
        passed=PASSED,
    )


ANSWERS = "settled", "above", "beyond"

TESTBENCH = """`timescale 1ns / 1ps
// verilator lint_off WIDTHEXPAND
// verilator lint_off PINMISSING
module bench;
  reg clk = 0, rst = 1, tvalid = 0, tlast = 0, tready = 0;
  reg [31:0] tdata = 0;
  wire s_tready, m_tvalid, m_tlast;
  wire [31:0] m_tdata;
{wires}
  wire analog__0__settled = 1'b1;
  wire {converters} analog__0__above;
  wire {converters} analog__0__beyond;
{array}
  always #5 clk = ~clk;

  chip dut (.clk(clk), .rst(rst),
    .s_axis__tdata(tdata), .s_axis__tlast(tlast), .s_axis__tvalid(tvalid),
    .s_axis__tready(s_tready), .m_axis__tdata(m_tdata), .m_axis__tlast(m_tlast),
    .m_axis__tvalid(m_tvalid), .m_axis__tready(tready),
    .s_axil__awvalid(1'b0), .s_axil__wvalid(1'b0), .s_axil__bready(1'b0),
    .s_axil__arvalid(1'b0), .s_axil__rready(1'b0),
    {pins});

  integer patience, waited;

  task fail;
    begin
      $display("FAILED at %0d", $time);
      $finish;
    end
  endtask

  task give(input [31:0] word, input last);
    begin
      tdata = word;
      tlast = last;
      tvalid = 1;
      patience = 0;
      while (s_tready !== 1'b1 && patience < 1000) begin
        @(negedge clk);
        patience = patience + 1;
      end
      if (s_tready !== 1'b1) fail;
      @(negedge clk);
      tvalid = 0;
    end
  endtask

  task take(input [31:0] word, input last);
    begin
      patience = 0;
      while (m_tvalid !== 1'b1 && patience < 1000) begin
        @(negedge clk);
        patience = patience + 1;
      end
      for (waited = 0; waited <= {stall}; waited = waited + 1) begin
        if (m_tvalid !== 1'b1 || m_tdata !== word || m_tlast !== last) fail;
        tready = waited == {stall};
        @(negedge clk);
      end
      tready = 0;
    end
  endtask

  initial begin
    repeat (4) @(negedge clk);
    rst = 0;
    @(negedge clk);
{body}
    $display("{passed}");
    $finish;
  end
endmodule
"""


def write(folder: Path, config: ChipConfig, stall: int) -> Path:
    """Write the testbench of a small session into a folder and return its path."""
    rng = np.random.default_rng(5)
    shape = config.array.rows, config.array.columns
    low, high = config.weight_range
    weights = rng.integers(low, high + 1, shape)
    vectors = rng.integers(config.input_range[0], config.input_range[1] + 1, (2, shape[0]))
    path = folder / "bench.v"
    path.write_text(testbench(config, weights, vectors, stall))
    return path
