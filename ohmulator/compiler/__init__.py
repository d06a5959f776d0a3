"""Compile matrices to programs and memory images of the machine, and multiply by them."""

from ohmulator.compiler.matrix import MatrixProgram, compile_matrix
from ohmulator.compiler.product import ChipAccess, load, multiply

__all__ = ["ChipAccess", "MatrixProgram", "compile_matrix", "load", "multiply"]
