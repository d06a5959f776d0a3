"""Memories as a foundry models them, in plain Verilog: what is not promised is X."""

import re

SINGLE = """
module {name}(
  input clk, input en, input write, input [{top}:0] address,
  input [{msb}:0] write_data, output reg [{msb}:0] read_data
);
  reg [{msb}:0] words [0:{last}];
  always @(posedge clk)
    if (en === 1'b1 && write === 1'b1) words[address] <= write_data;
    else if (en === 1'b1 && write === 1'b0) read_data <= words[address];
    else if (en !== 1'b0) read_data <= {bits}'bx;
endmodule
"""
DOUBLE = """
module {name}(
  input clk, input read_en, input [{top}:0] read_address, output reg [{msb}:0] read_data,
  input write_en, input [{top}:0] write_address, input [{msb}:0] write_data
);
  reg [{msb}:0] words [0:{last}];
  always @(posedge clk) begin
    if (write_en === 1'b1) words[write_address] <= write_data;
    if (read_en === 1'b1)
      read_data <= write_en === 1'b1 && read_address === write_address
        ? {bits}'bx : words[read_address];
    else if (read_en !== 1'b0) read_data <= {bits}'bx;
  end
endmodule
"""
STUB = re.compile(
    r"\n\(\* blackbox \*\)\nmodule (ohmulator_memory_([12])p_(\d+)x(\d+))\(.*?endmodule\n",
    re.DOTALL,
)


def fill(verilog: str) -> str:
    """Return Verilog whose black boxes of memories have become models."""

    def model(stub: re.Match[str]) -> str:
        depth, bits = int(stub[3]), int(stub[4])
        address_bits = max(1, (depth - 1).bit_length())
        text = SINGLE if stub[2] == "1" else DOUBLE
        return text.format(
            name=stub[1], top=address_bits - 1, msb=bits - 1, last=depth - 1, bits=bits
        )

    filled, count = STUB.subn(model, verilog)
    assert count
    return filled
