"""Arithmetic of vectors and scalars: what is rounded, clamped and counted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spec.isa import SCALAR_RANGE, WORD_RANGE, Opcode


def round_shift(values: NDArray[Any], amount: int) -> NDArray[Any]:
    """Return floor((values + 2**(amount - 1)) / 2**amount) without overflow on the way.

    `values` are int64, or Python integers in an array of objects; `amount` is 0 or more.
    """
    return ((values >> (amount - 1)) + 1) >> 1 if amount else values


def saturate(values: NDArray[Any], bounds: tuple[int, int]) -> tuple[NDArray[np.int64], int]:
    """Return values clamped to (low, high), and how many were outside."""
    clamped = np.clip(values, *bounds)
    return clamped.astype(np.int64), int((clamped != values).sum())


def saturate_scalar(value: int, bounds: tuple[int, int] = SCALAR_RANGE) -> tuple[int, int]:
    """Return the scalar clamped to (low, high), and 1 if it was outside, else 0."""
    clamped = min(max(value, bounds[0]), bounds[1])
    return clamped, int(clamped != value)


def map_words(
    opcode: Opcode, a: NDArray[np.int64], b: NDArray[np.int64], scalar_b: int, scalar_c: int
) -> tuple[NDArray[np.int64], int]:
    """Execute an instruction that makes a vector of vectors.

    Parameters
    ----------
    opcode
        One of VADD to VRELU.
    a, b
        Source vectors [n], of words of 32 bits; b only where the instruction has a second one.
    scalar_b, scalar_c
        Operands of the instructions that have scalars in their place, within their limits.

    Returns
    -------
    words
        [n], of 32 bits.
    saturations
        How many did not fit.
    """
    match opcode:
        case Opcode.VADD:
            exact = a + b
        case Opcode.VSUB:
            exact = a - b
        case Opcode.VMAX:
            exact = np.maximum(a, b)
        case Opcode.VSHIFT if scalar_c < 0:
            exact = a << -scalar_c
        case Opcode.VSHIFT:
            exact = round_shift(a, scalar_c)
        case Opcode.VSCALE:
            exact = round_shift(a * scalar_b, scalar_c)
        case Opcode.VCLAMP:
            exact = np.clip(a, scalar_b, scalar_c)
        case Opcode.VRELU:
            exact = np.maximum(a, 0)
        case _:
            raise ValueError(f"{opcode!r} does not make a vector")
    return saturate(exact, WORD_RANGE)


def block_exponent(a: NDArray[np.int64]) -> int:
    """Return the smallest e >= 0 with -2**e <= x < 2**e for every x in a [n]."""
    return int(np.where(a < 0, ~a, a).max(initial=0)).bit_length()


def dot(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """Return the exact sum of products of two vectors [n] of words of 32 bits."""
    products = a * b
    # Halves apart, each sum fits 64 bits.
    return (int((products >> 32).sum()) << 32) + int((products & 0xFFFFFFFF).sum())
