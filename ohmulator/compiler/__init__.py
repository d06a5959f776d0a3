"""From matrices to programs and memory images of the machine, and products with them."""

from ohmulator.compiler.matrix import MatrixProgram, compile_matrix
from ohmulator.compiler.product import Target, load, multiply

__all__ = ["MatrixProgram", "Target", "compile_matrix", "load", "multiply"]
