"""Arrays: cells, wires, currents of lines, and their SPICE netlist."""
