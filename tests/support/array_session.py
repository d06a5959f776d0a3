"""A session of a tile with an array in SystemVerilog, and what the physics would have answered.

No Python runs beside the simulator: the testbench writes down what passes the boundary in every
cycle, and the same is asked of the physics of the model afterwards, as `sim.bridge` asks it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from hw.boundary.analog import Mode
from hw.converter.dac import VectorLayout
from hw.tile.shift_add import ResultsLayout
from hw.tools.verilog import generate
from ohmulator.jobs.real_array import contents, files
from sim.harness.design import pins
from sim.packing import unpack
from spec.config import ChipConfig

TILE, BENCH, LOG = "tile.v", "bench.sv", "log.txt"

TEXT = """`timescale 1ns / 1ps
// verilator lint_off WIDTHEXPAND
module bench;
  reg clk = 0, rst = 1;
  always #5 clk = ~clk;
{signals}
  tile dut({tile});
  ohmulator_array array({array});

  reg [{operand}:0] operands [0:{count}];
  integer log, taken, came, cycle;
  initial begin
    $readmemh("operands.hex", operands);
    log = $fopen("{log}", "w");
    taken = 0;
    came = 0;
    cycle = 0;
    repeat (3) @(negedge clk);
    rst = 0;
    while (came < {results} && cycle < {patience}) begin
      vectors__valid = taken <= {count};
      vectors__payload = operands[taken <= {count} ? taken : 0];
      results__ready = 1;
      @(posedge clk);
      $fwrite(log, "%b %h %b {formats}\\n", analog__sample, analog__mode, results__valid, {logged});
      if (vectors__valid && vectors__ready) taken = taken + 1;
      if (results__valid) came = came + 1;
      cycle = cycle + 1;
      @(negedge clk);
    end
    $fclose(log);
    $finish;
  end
endmodule
"""

PATIENCE = 100_000
"""Cycles that no session takes."""


@dataclass(frozen=True)
class Seen:
    """Hold what a session showed: decisions of comparators, or codes, wrong ones, and results."""

    decisions: int
    wrong: int
    results: list[list[int]]


class Session:
    """Products of a tile whose array is in SystemVerilog.

    Parameters
    ----------
    weights, vectors, transposed
        Operands, `transposed` for each vector.
    """

    def __init__(self, config: ChipConfig, weights, vectors, steps, transposed):
        self.config, self.weights, self.steps = config, weights, steps
        self.vectors, self.transposed = vectors, transposed

    def write(self, folder: Path) -> list[str]:
        """Write all files into a folder, and return the names of those to compile."""
        config = self.config
        verilog = generate(config, "tile")
        (folder / TILE).write_text(verilog)
        paths = files(config, folder / TILE)
        for what, text in contents(config, folder / TILE, self.weights.tolist(), 0).items():
            paths[what].write_text(text)
        layout = VectorLayout(config)
        operands = []
        for vector, transposed in zip(self.vectors, self.transposed, strict=True):
            x = [*vector.tolist(), *[0] * (config.drive_lines - len(vector))]
            fields = {"x": x, "step": self.steps.tolist(), "transposed": int(transposed)}
            if not config.transposable:
                del fields["transposed"]
            operands.append(layout.const(fields).as_bits())
        (folder / "operands.hex").write_text("".join(f"{each:x}\n" for each in operands))
        (folder / BENCH).write_text(self._bench(verilog))
        return [BENCH, TILE, paths["the array"].name]

    def _bench(self, verilog: str) -> str:
        config = self.config
        ports = pins(verilog, "tile")
        signals = "\n".join(
            f"  {'reg' if pin.is_input and not pin.name.startswith('analog__') else 'wire'} "
            f"[{pin.bits - 1}:0] {pin.name}"
            f"{' = 0' if pin.is_input and not pin.name.startswith('analog__') else ''};"
            for pin in ports
            if pin.name != "rst"
        )
        boundary = [pin.name for pin in ports if pin.name.startswith("analog__")]
        logged = [f"analog__{name}" for name in self.logged] + ["results__payload"]
        return TEXT.format(
            signals=signals,
            tile=", ".join(f".{name}({name})" for name in ["clk", *(pin.name for pin in ports)]),
            array=", ".join(f".{name}({name})" for name in ["clk", "rst", *boundary]),
            operand=VectorLayout(config).size - 1,
            count=len(self.vectors) - 1,
            log=LOG,
            results=sum(config.direction(each).groups for each in self.transposed),
            patience=PATIENCE,
            formats=" ".join(["%b"] * len(logged)),
            logged=", ".join(logged),
        )

    @property
    def logged(self) -> list[str]:
        asked = ["trial", "above"] if self.config.converter.searching else ["convert", "found"]
        return ["code", "step", "select", *asked, "beyond"]

    def check(self, folder: Path) -> Seen:
        """Compare what was written down with the physics, cycle by cycle."""
        config = self.config
        analog = Analog.programmed(config, self.weights)
        late = (
            config.converter.comparison_cycles
            if config.converter.searching
            else config.decision_cycles
        ) - 1
        held = steps = asked = now = question = None
        answers: list[tuple] = []
        decisions = wrong = 0
        results = []
        for line in (folder / LOG).read_text().splitlines():
            sample, mode, valid, *texts, payload = line.split()
            code, step, _, first, answer, beyond = (_bits(text) for text in texts)
            if held is not None:
                group = int(texts[2], 2)
                adcs, values = analog.adcs(steps), held[:, group]
                if config.converter.searching:
                    trial = unpack(first, config.converters)
                    now = adcs.above(values, trial), adcs.beyond(values)
                    question = texts[3], group
                elif first[0]:
                    now = adcs.convert(values), adcs.beyond(values)
                    question = len(answers), group
                answers.append(now)
                if len(answers) > late and answers[-1 - late] is not None:
                    expected, outside = answers[-1 - late]
                    width = 1 if config.converter.searching else config.converter.adc_bits
                    given = unpack(answer, config.converters, signed=width > 1)
                    differs = (given != expected) | (beyond[::-1] != outside)
                    wrong += int(np.count_nonzero(differs))
                if question != asked:
                    asked = question
                    decisions += config.converters
            if sample == "1":
                transposed = Mode(int(mode, 16)) is Mode.MVM_T
                inputs = config.direction(transposed).inputs
                codes = unpack(code, config.drive_lines).astype(np.int64)[:inputs]
                held = analog.hold(codes[None], transposed=transposed)[0]
                steps = unpack(step, config.steps, signed=False).astype(np.int64)
                asked = None
            if valid == "1":
                results.append(int(payload, 2))
        return Seen(decisions, wrong, self._joined(results))

    def _joined(self, payloads: list[int]) -> list[list[int]]:
        """Return the results of each product."""
        layout, found = ResultsLayout(self.config), []
        rest = iter(payloads)
        for transposed in self.transposed:
            direction = self.config.direction(transposed)
            lines = [layout.from_bits(next(rest)) for _ in range(direction.groups)]
            sums = [[int(value) for value in line["sums"]] for line in lines]
            found.append([sums[g][a] for a in range(len(sums[0])) for g in range(len(sums))])
            del found[-1][direction.outputs :]
        return found

    def expected(self) -> list[list[int]]:
        """Return what the model makes of the products."""
        tile = Tile(self.config, Analog.programmed(self.config, self.weights))
        return [
            tile.multiply(vector[None], self.steps, transposed=bool(transposed)).results[0].tolist()
            for vector, transposed in zip(self.vectors, self.transposed, strict=True)
        ]


def _bits(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8) - ord("0")
