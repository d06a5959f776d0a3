"""Co-simulation: generated Verilog in a simulator, golden physics behind it, a model beside."""
