"""Products of the RTL: Verilog, and counts of cells."""
