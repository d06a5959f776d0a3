"""An array that is programmed for good, as a SystemVerilog module with `real` inside.

It has the name and the pins of the macro, `hw.boundary.macro`, and takes its place in a simulation
without Python. What it holds comes from files of the model, 64-bit reals in hexadecimal digits. No
sum of it rounds, since the model has rounded the factors so that none does
(`golden.array.rounding`): the order of its terms, and the simulator, decide nothing.

It does not know write pulses, and ends the simulation where one comes.
"""

from hw.boundary.analog import CellLayout, Mode
from hw.boundary.macro import NAME, pins
from spec.config import ChipConfig
from spec.real_array import needs_dacs, needs_thresholds

FILES = {
    "matrix": "units of an ADC's input for one DAC code: forward, then transposed; of each input, "
    "converter, group",
    "cells": "units of a cell that is read alone: of each slice, row, bit line",
    "dacs": "DAC codes that are driven really: of each line, code from the lowest",
    "thresholds": "units: of each ADC step, converter, code from the lowest to one beyond",
}
"""Files of data, by what their names end with, and what stands in them; the last index is fastest.

Those of DACs and thresholds are there only if converters have errors.
"""


def module(config: ChipConfig, data: str) -> str:
    """Return the module; `data` begins the names of its files, unless its parameter is set."""
    values = _sizes(config)
    ports = ",\n".join(
        f"  {'input' if pin.is_input else 'output'} wire "
        f"{f'[{pin.bits - 1}:0] ' if pin.bits > 1 else ''}{pin.name}"
        for pin in pins(config)
    )
    names = ", ".join(f"{mode.name} = {mode.value}" for mode in Mode.__members__.values())
    return "".join(
        [
            "// verilator lint_save\n",
            *(f"// verilator lint_off {kind} // {reason}\n" for kind, reason in WAIVERS.items()),
            f"module {NAME} #(\n  // Path that the names of the files of data begin with.\n",
            f'  parameter DATA = "{_quoted(data)}"\n) (\n{ports}\n);\n',
            f"  localparam {names};\n",
            *(f"  localparam {name} = {value};\n" for name, value in values.items()),
            STORE,
            DRIVE,
            *_cell_fields(config),
            HOLD,
            CONVERT,
            SEARCHED if config.converter.searching else SEARCHING,
            LATER if values["LATE"] else AT_ONCE,
            "endmodule\n// verilator lint_restore\n",
        ]
    )


def _sizes(config: ChipConfig) -> dict[str, int]:
    """Return the constants of the module by name."""
    directions = config.directions
    thresholds = needs_thresholds(config)
    searching = config.converter.searching
    return {
        "SLICES": config.array.slices,
        "ROWS": config.array.rows,
        "BIT_LINES": config.bit_lines,
        "OFFSET": config.unit_columns,
        "ADCS": config.converter.adcs,
        "CONVERTERS": config.converters,
        "FORWARD_GROUPS": config.forward.groups,
        "GROUPS": max(direction.groups for direction in directions),
        "INPUTS": config.forward.inputs,
        "ALL_INPUTS": sum(direction.inputs for direction in directions),
        "LINES": config.drive_lines,
        "CODE_BITS": config.code_bits,
        "STORED_DACS": int(needs_dacs(config)),
        "DACS": config.drive_lines << config.code_bits if needs_dacs(config) else 1,
        "ADC_BITS": config.converter.adc_bits,
        "STEP_BITS": config.step_bits,
        "STEPS": config.step_range[1] + 1,
        "STORED_THRESHOLDS": int(thresholds),
        "CODES": (1 << config.converter.adc_bits) + 1 if thresholds else 1,
        "SETTLE": config.settle_cycles,
        "HELD_STEP_BITS": config.steps * config.step_bits,
        "CELL_BITS": CellLayout(config).size,
        "ANSWER_BITS": config.converters * (1 + (1 if searching else config.converter.adc_bits)),
        "LATE": (config.converter.comparison_cycles if searching else config.decision_cycles) - 1,
    }


def _cell_fields(config: ChipConfig) -> list[str]:
    """Return the lines that take a cell apart, as `hw.boundary.analog.CellLayout` has it."""
    lines = []
    for name, field in CellLayout(config):
        bits = f"cell_[{field.offset + field.width - 1}:{field.offset}]"
        lines.append(f"  wire [31:0] cell_{name} = {bits if field.width else '0'};\n")
    return lines


def _quoted(text: str) -> str:
    """Return a text as it stands in a string of Verilog."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\"}
    return "".join(
        chr(byte).translate(plain) if 32 <= byte < 127 else f"\\{byte:03o}"
        for byte in text.encode(errors="surrogateescape")
    )


WAIVERS = {
    "WIDTHEXPAND": "numbers of all widths are counted with in 32 bits",
    "WIDTHTRUNC": "as above",
    "BLKSEQ": "a bank of held values that nobody reads is filled before it is turned to",
    "UNUSEDSIGNAL": "a mode or a direction may need no part of a pin",
    "UNUSEDPARAM": "as above",
    "REALCVT": "only whole numbers become integers",
}
"""Warnings of Verilator that are of no interest here, and why."""

STORE = """
  reg [63:0] matrix [0:ALL_INPUTS * CONVERTERS * GROUPS - 1];
  reg [63:0] cells [0:SLICES * ROWS * BIT_LINES - 1];
  reg [63:0] dacs [0:DACS - 1];
  reg [63:0] thresholds [0:STEPS * CONVERTERS * CODES - 1];

  // Half of the range of the ADCs, in codes.
  real half;
  integer s;
  initial begin
    $readmemh({DATA, "-matrix.hex"}, matrix);
    $readmemh({DATA, "-cells.hex"}, cells);
    if (STORED_DACS != 0) $readmemh({DATA, "-dacs.hex"}, dacs);
    if (STORED_THRESHOLDS != 0) $readmemh({DATA, "-thresholds.hex"}, thresholds);
    if (^matrix[0] === 1'bx)
      $fatal(1, "%m has no data: set its parameter DATA to the path before -matrix.hex");
    half = 1.0;
    for (s = 1; s < ADC_BITS; s = s + 1) half = half * 2.0;
  end
"""

DRIVE = """
  // Cycles until the present drive has settled; it is taken over in the cycle of its strobe.
  integer left = 0;
  reg driven = 1'b0;
  reg [2:0] mode = IDLE;
  reg [LINES * CODE_BITS - 1:0] codes;
  reg [CELL_BITS - 1:0] cell_;
  assign analog__settled = driven && left == 0;
  always @(posedge clk) begin
    if (rst) begin
      driven <= 1'b0;
    end else if (analog__strobe) begin
      driven <= 1'b1;
      left <= SETTLE - 2;
      mode <= analog__mode;
      codes <= analog__code;
      cell_ <= analog__cell;
      case (analog__mode)
        MVM, MVM_T: if (^analog__code === 1'bx) $fatal(1, "%m is driven with codes that are X");
        READ: if (^analog__cell === 1'bx) $fatal(1, "%m is to read a cell that is X");
        SET: $fatal(1, "%m takes no write pulse (SET): its cells are programmed for good");
        RESET: $fatal(1, "%m takes no write pulse (RESET): its cells are programmed for good");
        default: $fatal(1, "%m is driven in mode %0d, which drives nothing", analog__mode);
      endcase
    end else if (left != 0) begin
      left <= left - 1;
    end
  end
"""

HOLD = """
  // Two banks of held values, [bank][converter][group]: the one that nobody looks at is filled,
  // and then turned to.
  real held [0:2 * CONVERTERS * GROUPS - 1];
  reg bank = 1'b0;
  reg [HELD_STEP_BITS - 1:0] held_steps;
  integer at, k, line, first, count;
  real drive;
  always @(posedge clk) if (analog__sample) begin
    if (!driven) $fatal(1, "%m is sampled before it is driven");
    at = bank ? 0 : CONVERTERS * GROUPS;
    for (k = 0; k < CONVERTERS * GROUPS; k = k + 1) held[at + k] = 0.0;
    if (mode == READ) read_cell;
    else multiply;
    bank <= ~bank;
    held_steps <= analog__step;
  end

  task multiply;
    begin
      first = mode == MVM_T ? INPUTS : 0;
      count = mode == MVM_T ? ALL_INPUTS - INPUTS : INPUTS;
      for (line = 0; line < count; line = line + 1) begin
        drive = driven_code(line);
        if (drive != 0.0)
          for (k = 0; k < CONVERTERS * GROUPS; k = k + 1)
            held[at + k] = held[at + k]
                + drive * $bitstoreal(matrix[(first + line) * CONVERTERS * GROUPS + k]);
      end
    end
  endtask

  function automatic real driven_code(input integer line_);
    integer code;
    begin
      code = $signed(codes[line_ * CODE_BITS +: CODE_BITS]);
      if (STORED_DACS != 0)
        driven_code = $bitstoreal(
            dacs[(line_ << CODE_BITS) + code + (1 << (CODE_BITS - 1))]);
      else driven_code = $itor(code);
    end
  endfunction

  integer column, bit_line, converter;
  task read_cell;
    begin
      column = cell_adc * FORWARD_GROUPS + cell_group;
      converter = cell_slice * ADCS + cell_adc;
      bit_line = 2 * column + cell_side;
      if (OFFSET != 0) begin
        bit_line = column;
        if (cell_side == 1) begin
          bit_line = FORWARD_GROUPS * ADCS;
          converter = CONVERTERS - 1;
        end
      end
      for (k = 0; k < GROUPS; k = k + 1)
        held[at + converter * GROUPS + k] =
            $bitstoreal(cells[(cell_slice * ROWS + cell_row) * BIT_LINES + bit_line]);
    end
  endtask
"""

CONVERT = """
  function automatic integer step_of(input integer c);
    step_of = {1'b0, held_steps[(c / ADCS) * STEP_BITS +: STEP_BITS]};
  endfunction

  function automatic real value_of(input integer c);
    value_of = held[(bank ? CONVERTERS * GROUPS : 0) + c * GROUPS + analog__select];
  endfunction

  // Value in units from which on a converter answers a code or more.
  function automatic real threshold(input integer c, input real code);
    real width;
    begin
      if (STORED_THRESHOLDS != 0)
        threshold = $bitstoreal(
            thresholds[(step_of(c) * CONVERTERS + c) * CODES + $rtoi(code + half)]);
      else begin
        width = 1.0;
        repeat (step_of(c)) width = width * 2.0;
        threshold = code * width - ((width > 1.0 ? width / 2.0 : 0.0) + 0.5);
      end
    end
  endfunction

  function automatic reg out_of_range(input integer c);
    out_of_range = value_of(c) < threshold(c, -half) || value_of(c) >= threshold(c, half);
  endfunction

  reg [CONVERTERS - 1:0] beyond;
  integer i;
"""

SEARCHED = """
  reg [CONVERTERS - 1:0] above;
  wire [2 * CONVERTERS - 1:0] answer = {beyond, above};
  always @(bank or analog__select or analog__trial) begin
    for (i = 0; i < CONVERTERS; i = i + 1) begin
      above[i] = value_of(i)
          >= threshold(i, $itor($signed(analog__trial[i * ADC_BITS +: ADC_BITS])));
      beyond[i] = out_of_range(i);
    end
  end
  assign {analog__beyond, analog__above} = late_answer;
"""
"""The periphery searches."""

SEARCHING = """
  reg [CONVERTERS * ADC_BITS - 1:0] found;
  reg [CONVERTERS * ADC_BITS + CONVERTERS - 1:0] kept;
  wire [CONVERTERS * ADC_BITS + CONVERTERS - 1:0] answer =
      analog__convert ? {beyond, found} : kept;
  real code, part;
  always @(bank or analog__select or analog__convert) begin
    for (i = 0; i < CONVERTERS; i = i + 1) begin
      code = -half;
      for (part = half; part >= 1.0; part = part / 2.0)
        if (value_of(i) >= threshold(i, code + part)) code = code + part;
      found[i * ADC_BITS +: ADC_BITS] = $rtoi(code);
      beyond[i] = out_of_range(i);
    end
  end
  always @(posedge clk) kept <= answer;
  assign {analog__beyond, analog__found} = late_answer;
"""
"""The ADCs search."""

AT_ONCE = """
  wire [ANSWER_BITS - 1:0] late_answer = answer;
"""

LATER = """
  // Answers come as late as is allowed: until then the one before stands.
  reg [ANSWER_BITS - 1:0] late [1:LATE];
  wire [ANSWER_BITS - 1:0] late_answer = late[LATE];
  integer l;
  always @(posedge clk) begin
    late[1] <= answer;
    for (l = 2; l <= LATE; l = l + 1) late[l] <= late[l - 1];
  end
"""
