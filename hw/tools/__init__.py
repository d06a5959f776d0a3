"""What is made from the RTL: Verilog, and counts of cells."""
