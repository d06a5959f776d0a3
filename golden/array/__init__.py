"""Arrays of cells: devices, wires, currents of lines, and their SPICE netlist."""
