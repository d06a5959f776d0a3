"""Requirements on a product's operands: each at both ends, and the lowest of those not met."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hw.machine.product_check import ProductCheck
from spec.isa import SCALAR_RANGE, WORD_RANGE, ErrorCode, Opcode
from tests.support.product_unit import small
from tests.support.simulation import Simulation

CONFIG = small(tiles=3, matrices=5, vector_words=64, weight_words=100)
DUT = ProductCheck(CONFIG)
SIMULATION = Simulation(DUT)

GOOD = {
    "c": 0,
    "immediate": 0,
    "n": 2,
    "a": 0,
    "d": 40,
    "rows": 4,
    "columns": 3,
    "weights": 0,
    "tile": 0,
    "held": 0,
}


def wanted(case: dict[str, int]) -> ErrorCode:
    """Return the error by the rules of `spec.isa`, in Python's integers."""
    inputs, outputs = case["n"] * case["rows"], case["n"] * case["columns"]
    a, d, cells = case["a"], case["d"], case["rows"] * case["columns"]
    if not 0 <= case["c"] <= 63:
        return ErrorCode.OPERAND
    if not (0 <= case["immediate"] < 5 and 1 <= case["rows"] <= 64 and 1 <= case["columns"] <= 64):
        return ErrorCode.MATRIX
    if case["tile"] >= 3:
        return ErrorCode.MATRIX
    if case["n"] < 0 or not (0 <= a <= a + inputs <= 64 and 0 <= d <= d + outputs <= 64):
        return ErrorCode.ADDRESS
    if case["n"] and a < d + outputs and d < a + inputs:
        return ErrorCode.OVERLAP
    if not case["held"] and case["weights"] + cells > 100:
        return ErrorCode.WEIGHTS
    return ErrorCode.NONE


def check(cases: list[dict[str, int]]) -> None:
    async def job(ctx):
        for case in cases:
            operands = {name: case[name] for name in ("c", "n", "a", "d", "immediate")}
            ctx.set(DUT.request, {"opcode": Opcode.MVM, "b": 0, **operands})
            fields = {name: case[name] for name in ("rows", "columns", "weights", "tile")}
            ctx.set(DUT.descriptor, fields)
            ctx.set(DUT.count, case["n"] % 128)
            ctx.set(DUT.inputs, case["rows"] % 128)
            ctx.set(DUT.outputs, case["columns"] % 128)
            ctx.set(DUT.held, case["held"])
            await ctx.tick()
            assert ErrorCode(ctx.get(DUT.code)) is wanted(case), case

    SIMULATION.run(job)


def test_each_requirement_at_its_ends():
    ends = {
        "c": [-1, 0, 63, 64, *SCALAR_RANGE, 1 << 32],
        "immediate": [-1, 0, 4, 5, *WORD_RANGE],
        "rows": [0, 1, 64, 65, 128, (1 << 32) - 1],
        "columns": [0, 1, 64, 65, 128, (1 << 32) - 1],
        "tile": [0, 2, 3, (1 << 32) - 1],
        "n": [-1, 0, 1, 64, 65, *SCALAR_RANGE, 1 << 32],
        "a": [-1, 0, 32, 33, 56, 57, 64, 65, *SCALAR_RANGE, 1 << 32],
        "d": [-1, 0, 7, 8, 57, 58, 59, 64, 65, *SCALAR_RANGE, 1 << 32],
        "weights": [0, 88, 89, 100, (1 << 32) - 1],
    }
    cases = [GOOD | {name: end} for name, values in ends.items() for end in values]
    assert {wanted(case) for case in cases} == {
        ErrorCode.NONE,
        *(ErrorCode(n) for n in range(ErrorCode.OPERAND, ErrorCode.WEIGHTS + 1)),
    }
    # Vectors of one word that fill the memory, and a matrix that does.
    filling = {"rows": 1, "columns": 1, "n": 32, "a": 0, "d": 32}
    cases += [GOOD | filling | change for change in ({}, {"n": 33}, {"d": 31}, {"a": 1}, {"d": 33})]
    long = {"rows": 10, "columns": 10, "n": 3, "a": 0, "d": 30}
    cases += [GOOD | long | change for change in ({}, {"weights": 1}, {"weights": 1, "held": 1})]
    check(cases)


def test_of_several_that_are_not_met_the_lowest_is_told():
    bad = {"c": 64, "tile": 3, "n": 30, "d": 1, "weights": 99}
    cases = []
    for names in itertools.product(*[[False, True]] * len(bad)):
        changes = itertools.compress(bad.items(), names)
        cases.append(GOOD | dict(changes))
    check(cases)


@given(st.integers(0, 1 << 32))
def test_any_operands(seed):
    rng = np.random.default_rng(seed)
    most = {"c": 63, "immediate": 4, "n": 8, "a": 64, "d": 64, "rows": 9, "columns": 9}
    most |= {"weights": 100, "tile": 2, "held": 1}
    check([{name: int(rng.integers(0, top + 1)) for name, top in most.items()} for _ in range(30)])
