"""Requirements on the operands of vector instructions: each at both ends, for every opcode."""

import itertools

import numpy as np
import pytest

from hw.machine.vector_check import VectorCheck
from spec.isa import OPERATIONS, SCALAR_RANGE, WORD_RANGE, ErrorCode, Opcode
from tests.support.product_unit import small
from tests.support.simulation import Simulation

DUT = VectorCheck(small(vector_words=64))
SIMULATION = Simulation(DUT)
VECTORS = [opcode for opcode in Opcode if Opcode.VADD <= opcode <= Opcode.VDOT]
EDGES = [*SCALAR_RANGE, 1 << 32, -(1 << 32), 1 << 6, 1 << 7, -1]
GOOD = {"d": 40, "a": 0, "b": 20, "c": 30, "n": 4}
LOW, HIGH = WORD_RANGE


def wanted(opcode: Opcode, case: dict[str, int]) -> ErrorCode:
    """Return the error by the rules of `spec.isa`, in Python's integers."""
    d, _a, b, c, n = (case[name] for name in "dabcn")
    operation = OPERATIONS[opcode]
    if opcode is Opcode.VSHIFT and not -31 <= c <= 63:
        return ErrorCode.OPERAND
    if opcode is Opcode.VSCALE and not (0 <= c <= 63 and LOW <= b <= HIGH):
        return ErrorCode.OPERAND
    if opcode is Opcode.VCLAMP and not LOW <= b <= c <= HIGH:
        return ErrorCode.OPERAND
    sources = [case[name] for name in operation.sources]
    places = [*sources, d] if operation.destination else sources
    if n < 0 or not all(0 <= place <= place + n <= 64 for place in places):
        return ErrorCode.ADDRESS
    for source in sources if operation.destination else ():
        if source != d and source < d + n and d < source + n:
            return ErrorCode.OVERLAP
    return ErrorCode.NONE


def check(opcode: Opcode, cases: list[dict[str, int]]) -> set[ErrorCode]:
    """Compare all cases; return the errors among them."""

    async def job(ctx):
        for case in cases:
            ctx.set(DUT.request, {"opcode": opcode, "immediate": 0, **case})
            await ctx.tick()
            assert ErrorCode(ctx.get(DUT.code)) is wanted(opcode, case), case

    SIMULATION.run(job)
    return {wanted(opcode, case) for case in cases}


@pytest.mark.parametrize("opcode", VECTORS)
def test_each_operand_at_its_ends(opcode):
    pair, scaled = len(OPERATIONS[opcode].sources) == 2, opcode in (Opcode.VSCALE, Opcode.VCLAMP)
    good = GOOD | ({"b": 20} if pair or scaled else {"b": 1 << 40})
    ends = {
        "d": [*EDGES, 0, 16, 17, 24, 36, 59, 60, 61, 64, 4, 3],
        "a": [*EDGES, 36, 37, 40, 43, 44, 60, 61, 64],
        "b": [*EDGES, LOW, LOW - 1, HIGH, HIGH + 1, 30, 31, 36, 37, 44, 60, 61],
        "c": [*EDGES, 0, 63, -31, -32, -30, 31, 32, LOW, LOW - 1, HIGH, HIGH + 1, 20, 19],
        "n": [*EDGES, 0, 1, 20, 21, 24, 25, 63, 64, 65, 128, 129],
    }
    cases = [good | {name: end} for name, values in ends.items() for end in values]
    found = check(opcode, cases)
    assert found >= {ErrorCode.NONE, ErrorCode.ADDRESS}
    assert (ErrorCode.OVERLAP in found) == bool(OPERATIONS[opcode].destination)
    assert (ErrorCode.OPERAND in found) == (opcode in (Opcode.VSHIFT, Opcode.VSCALE, Opcode.VCLAMP))


@pytest.mark.parametrize("opcode", VECTORS)
def test_vectors_that_touch_coincide_and_fill_the_memory(opcode):
    places = [0, 1, 31, 32, 33, 63, 64]
    cases = [
        GOOD | {"d": d, "a": a, "b": b, "n": n}
        for d, a, b, n in itertools.product(places, places, [0, 32, 63], [0, 1, 31, 32, 64])
    ]
    check(opcode, cases)


@pytest.mark.parametrize("opcode", VECTORS)
def test_any_operands(opcode):
    rng = np.random.default_rng(opcode)
    tops = {"d": 64, "a": 64, "b": 64, "c": 63, "n": 20}
    check(opcode, [{n: int(rng.integers(0, t + 1)) for n, t in tops.items()} for _ in range(200)])
