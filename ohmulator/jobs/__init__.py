"""Jobs of the command line, one file each with a `main`.

A `main` refuses what it can before it works: it reads its arguments and the configuration and
declares its files, which takes a fraction of a second, and only then imports what takes longer.
"""

JOBS = {
    "run": "Classify handwritten digits in simulated Verilog, word for word against the model",
    "program": "Program every cell through the Verilog by write-verify, then do what run does",
    "sim": "Run a testbench on random stimuli, RTL against model",
    "physics": "Draw the cells, the IR drop and the ADCs of a chip with random weights",
    "sweep": "Measure the accuracy of the digits against each fault alone",
    "spice": "Write one array of a chip with random weights as a SPICE netlist, wires included",
    "solve": "Solve a system of equations to high precision on a modelled chip",
    "verilog": "Write Verilog",
    "area": "Print cells and area of a tile and of chips in NAND2 equivalents",
    "assemble": "Assemble a program and print its listing",
    "docs": "Build the site of the documentation, every link checked",
}
"""Description of each job by its name, which is that of its module."""
