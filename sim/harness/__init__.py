"""Co-simulation without waking Python in every cycle: a design as a library of a Python process.

`harness.cpp` drives streams and answers comparators; `sim.harness.library` is what Python calls.
"""
