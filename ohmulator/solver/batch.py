"""Refinement of many right-hand sides of one matrix together, as fast as NumPy is.

Each is refined as `ohmulator.solver.refine` does it, for a number of iterations that is given.
"""

import numpy as np
from numpy.typing import NDArray

from golden.inverse.answer import answers
from ohmulator.solver.array_inverse import ArrayInverse
from ohmulator.solver.products import Products
from ohmulator.solver.refine import RESIDUAL_BITS

Floats = NDArray[np.float64]
Words = NDArray[np.int64]

AT_ONCE = 1000
"""Right-hand sides that are refined together."""


def refine_batch(
    products: Products, inverse: ArrayInverse, right_sides: Floats, iterations: int
) -> Floats:
    """Return the solutions [iterations, k, n] of right-hand sides [k, n] after each iteration."""
    parts = [
        _refine(products, inverse, right_sides[start : start + AT_ONCE], iterations)
        for start in range(0, len(right_sides), AT_ONCE)
    ]
    return np.concatenate(parts, axis=1)


def _refine(
    products: Products, inverse: ArrayInverse, right_sides: Floats, iterations: int
) -> Floats:
    scaled = right_sides * products.scale
    unit = np.frexp(np.abs(scaled).max(axis=1, initial=0))[1] - RESIDUAL_BITS
    r = np.rint(np.ldexp(scaled, -unit[:, None])).astype(np.int64)
    x = np.zeros(r.shape)
    step = np.full(len(r), inverse.inversion.config.inversion.inv_steps - 1)
    history = []
    for _ in range(iterations):
        words, exponent = inverse.loop_scale.words_of_all(r)
        found = answers(inverse.inversion, words, step)
        step = found.step
        inverse.note(found)
        exponent = exponent + found.exponent
        r = r - _shifted(products.multiply_all(found.codes), exponent)
        x = x + np.ldexp(found.codes.astype(np.float64), (exponent + unit)[:, None])
        history.append(x)
        grown = np.frexp(np.abs(r).max(axis=1, initial=0).astype(np.float64))[1]
        left = np.where(grown > 0, RESIDUAL_BITS - grown, 0)
        r, unit = _shifted(r, left), unit - left
    return np.stack(history)


def _shifted(values: Words, places: Words) -> Words:
    """Return rows [k, n] times 2^places [k], rounded to the nearest, halves up."""
    right = np.clip(-places, 0, 62)[:, None]
    left = np.maximum(places, 0)[:, None]
    rounded = np.where(right > 0, (values + ((1 << right) >> 1)) >> right, values)
    return np.asarray(rounded << left, np.int64)
