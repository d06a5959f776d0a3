"""Co-simulation: generated Verilog in a simulator, the golden physics behind it, the model beside it."""
