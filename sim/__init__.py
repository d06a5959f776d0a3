"""Co-simulation: generated Verilog in a simulator, golden physics behind it, the model beside it."""
