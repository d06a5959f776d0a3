"""The machine around the tiles.

The RTL divides the work of `machine.py` among sequencer, product unit, partial sums, operand
loader, matrices and vector memory, which have no reference of their own.
"""
