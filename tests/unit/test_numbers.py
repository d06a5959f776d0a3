"""Numbers of any type: equal ones make equal things, and what is no number is refused in words."""

import math
from fractions import Fraction

import numpy as np
import pytest

from golden.array.cells import Cells, Pulse
from golden.array.lines import Array
from golden.array.spice import netlist
from golden.array.wires import effective_matrix, line_voltages, solve_nonlinear
from golden.checks import checked_integers, checked_numbers
from golden.link.responder import Responder
from golden.machine.machine import Machine
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import diagnose, failed_cells
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import Targets, program, targets
from spec.config import ChipConfig
from spec.errors import UserError, require_integer, require_number, shown
from spec.isa import Space
from spec.packet import identity
from spec.physics import Physics
from tests.support.configs import FAULTS, chip

FIELDS = {name: chip().value(name) for name in ChipConfig.field_names()}
OTHER = FIELDS | {name: values[0] for name, values in FAULTS.items()}
INTEGERS = [name for name, value in FIELDS.items() if type(value) is int]
NUMBERS = [name for name, value in FIELDS.items() if type(value) is float]


def str_of(value: object) -> str:
    return shown(value)[:12]


def same(name: str, value, spelled) -> None:
    """Check that a value makes the same configuration however it is spelled."""
    plain, other = chip(**{name: value}), chip(**{name: spelled})
    assert plain == other and hash(plain) == hash(other)
    assert plain.whole == other.whole and plain.hardware == other.hardware
    assert repr(plain) == repr(other)
    assert type(other.value(name)) is type(value)


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_of_any_type_are_the_same(name):
    value = OTHER[name]
    for kind in (np.int64, np.uint64, np.int16 if value < 1 << 15 else np.int64):
        same(name, value, kind(value))


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_any_type_are_the_same(name):
    value = OTHER[name]
    for kind in (np.float64, Fraction, np.longdouble):
        same(name, value, kind(value))
    single = np.float32(value)
    if not refused(name, float(single)):
        same(name, float(single), single)
    for whole in (0, 1, 2, int(value)):
        try:
            chip(**{name: float(whole)})
        except UserError:
            continue
        for kind in (int, np.int64, np.float32, Fraction):
            same(name, float(whole), kind(whole))
    if value and not refused(name, 0.0):
        same(name, 0.0, -0.0)
        assert math.copysign(1, chip(**{name: -0.0}).value(name)) == 1


def refused(name: str, value) -> bool:
    try:
        chip(**{name: value})
    except UserError:
        return True
    return False


@pytest.mark.parametrize("name", [*INTEGERS, *NUMBERS])
@pytest.mark.parametrize(
    "value",
    [
        *(True, np.True_, "1", b"1", None, 1j, [1], (), {}, object),
        *(math.nan, -math.inf, 10**5000, -(10**400), Fraction(10**5000, 3), [10**5000]),
        *(np.nan, np.array([1]), np.array(1.5)),
    ],
    ids=str_of,
)
def test_what_is_no_number_of_a_field_is_refused_in_words(name, value):
    with pytest.raises(UserError, match=rf"^{name} must be .*, not ") as caught:
        chip(**{name: value})
    assert len(str(caught.value)) < 250


def test_probabilities_whose_sum_rounds_are_accepted():
    for three in [(0.33, 0.56, 0.11), (0.1, 0.2, 0.7), (0.15, 0.35, 0.5), (1 / 3, 1 / 3, 1 / 3)]:
        low, high, middle = three
        Physics.of(stuck_low=low, stuck_high=high, stuck_any=middle)
    with pytest.raises(UserError, match=r"at most 1, not 1\.0000000000000002"):
        Physics.of(stuck_low=1.0, stuck_high=2.3e-16)


def test_values_are_shown_short_whatever_they_are():
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    endless: list = []
    for _ in range(100_000):
        endless = [endless]
    for value in [Bad(), endless, [10**5000], 10**5000, "x" * 10**6, np.arange(10**6), range(9)]:
        assert 0 < len(shown(value)) <= 100
    assert shown(np.float64(0.5)) == "0.5" and shown(np.int8(3)) == "3"
    assert shown(10**5000) == "an integer of 16610 bits"


# Arrays

GOOD_INTEGERS = [
    [[1, -2], [3, 0]],
    np.array([[1, -2], [3, 0]], np.int8),
    np.array([[1.0, -2.0], [3.0, -0.0]]),
    np.array([[1, -2], [3, 0]], object),
    np.array([[1.0, np.int8(-2)], [Fraction(3), np.float32(0)]], object),
    np.array([[1, -2], [3, 0]], np.longdouble),
    ((1, -2), (3, np.uint64(0))),
    np.asfortranarray([[1, -2], [3, 0]]),
]
BAD_INTEGERS = {
    "bools": np.zeros((2, 2), bool),
    "bools among objects": np.array([[1, 2], [True, 0]], object),
    "bools of NumPy among objects": np.array([[1, 2], [np.True_, 0]], object),
    "strings": [["1", "2"], ["3", "4"]],
    "bytes": np.zeros((2, 2), "S1"),
    "nothing": [[None, 1], [2, 3]],
    "complex": [[1j, 1], [2, 3]],
    "dates": np.zeros((2, 2), "M8[s]"),
    "ragged": [[1, 2], [3]],
    "deep": [[1, 2], [3, [4]]],
    "beyond int64": np.full((2, 2), 1 << 63, np.uint64),
    "beyond NumPy": [[10**30, 1], [2, 3]],
    "beyond printing": [[10**5000, 1], [2, 3]],
    "fractions": [[0.5, 1], [2, 3]],
    "exact fractions": np.array([[Fraction(1, 2), 1], [2, 3]], object),
    "not a number": [[np.nan, 1], [2, 3]],
    "infinity": [[-np.inf, 1], [2, 3]],
    "infinity among objects": np.array([[np.inf, 1], [2, 3]], object),
    "other shape": [[1, 2, 3]],
    "flat": [1, 2, 3, 4],
    "single": 3,
    "text": "1234",
    "set": {1, 2},
}
BAD_NUMBERS = {
    name: value
    for name, value in BAD_INTEGERS.items()
    if name not in ("fractions", "exact fractions")
}


@pytest.mark.parametrize("values", GOOD_INTEGERS, ids=range(len(GOOD_INTEGERS)))
def test_whole_numbers_are_integers_and_numbers_whatever_their_type(values):
    found = checked_integers("x", values, (2, 2), -9, 9)
    assert found.dtype == np.int64 and found.tolist() == [[1, -2], [3, 0]]
    floats = checked_numbers("x", values, (-1, 2), -9, 9)
    assert floats.dtype == np.float64 and floats.tolist() == [[1, -2], [3, 0]]


@pytest.mark.parametrize("bad", BAD_INTEGERS)
def test_what_are_no_integers_is_refused_in_words(bad):
    with pytest.raises(UserError, match=r"^x(\[\d, \d\])? must (be|have) "):
        checked_integers("x", BAD_INTEGERS[bad], (2, 2), -9, 9)
    if bad in BAD_NUMBERS:
        with pytest.raises(UserError, match=r"^x(\[\d, \d\])? must (be|have) "):
            checked_numbers("x", BAD_INTEGERS[bad], (2, 2), -9, 9, "units")


def test_the_ends_of_a_range_are_numbers_and_integers():
    assert checked_integers("x", [-9, 9], (2,), -9, 9).tolist() == [-9, 9]
    assert checked_numbers("x", [-0.1, 0.1], (2,), -0.1, 0.1).tolist() == [-0.1, 0.1]
    for values in ([9, 10], [-10, 9]):
        with pytest.raises(UserError, match=r"x\[[01]\] must be an integer of -9 to 9, not -?10"):
            checked_integers("x", values, (2,), -9, 9)
    for value in (0.1, -0.1):
        beyond = float(np.nextafter(value, 2 * value))
        with pytest.raises(UserError, match=rf"of -0.1 to 0.1 units, not {beyond!r}"):
            checked_numbers("x", [beyond], (1,), -0.1, 0.1, "units")


CONFIG = chip(rows=2, columns=2, adcs=1)
MATRIX = np.ones((2, 2))


def tile() -> Tile:
    return Tile(CONFIG, Analog.programmed(CONFIG, np.zeros((2, 2))))


def cells() -> Cells:
    return Cells(CONFIG)


def stack(values):
    """Return [slices, rows, bit_lines] of such values, where they have a shape."""
    try:
        return np.resize(np.asarray(values), (2, 2, 4))
    except ValueError:
        return values


def curve(g, u):
    return g * u, g + 0 * u


def wanted(**changes) -> Targets:
    names = ("slices", "rows", "adcs", "groups", "sides", "levels")
    fields = {name: [0, 0] for name in names}
    return Targets(**fields | {"rows": [0, 1]} | changes)


ARRAYS = {
    "slice_weights": lambda bad: slice_weights(CONFIG, bad),
    "Analog.programmed": lambda bad: Analog.programmed(CONFIG, bad),
    "Tile.multiply": lambda bad: tile().multiply(bad),
    "steps": lambda bad: tile().multiply([[1, 2], [3, 4]], bad),
    "hold": lambda bad: tile().analog.hold(bad),
    "transposed hold": lambda bad: tile().analog.hold(bad, transposed=True),
    "drive_v": lambda bad: tile().analog.array.drive_v([bad]),
    "hold_cells": lambda bad: tile().analog.hold_cells(0, 0, bad),
    "cell_currents": lambda bad: tile().analog.array.cell_currents(bad, 0, 0),
    "Array": lambda bad: Array(CONFIG, stack(bad)),
    "Array.of_levels": lambda bad: Array.of_levels(CONFIG, stack(bad)),
    "Array.programmed": lambda bad: Array.programmed(CONFIG, stack(bad)),
    "place": lambda bad: cells().place(stack(bad)),
    "program": lambda bad: cells().program(stack(bad)),
    "pulse, rows": lambda bad: cells().pulse(0, bad, 0, Pulse.SET, 9),
    "pulse, kind": lambda bad: cells().pulse(0, 0, 0, bad, 9),
    "pulse, amplitude": lambda bad: cells().pulse(0, 0, 0, Pulse.SET, bad),
    "stick": lambda bad: cells().stick(0, 0, [0, 1], bad),
    "calibrate": lambda bad: calibrate(CONFIG, bad),
    "diagnose": lambda bad: diagnose(tile().analog, tile().multiply(MATRIX), stack(bad)),
    "failed_cells": lambda bad: failed_cells(tile().analog.array, stack(bad)),
    "targets": lambda bad: targets(CONFIG, bad),
    "program targets": lambda bad: program(tile().analog, wanted(levels=bad)),
    "write": lambda bad: Machine(CONFIG).write(Space.VECTOR, 0, bad),
    "respond": lambda bad: Responder(Machine(CONFIG), identity(CONFIG)).respond(bad),
}
NUMBER_ARRAYS = {
    "effective_matrix": lambda bad: effective_matrix(bad, r_word=1.0),
    "line_voltages": lambda bad: line_voltages(MATRIX, bad, r_word=1.0),
    "solve_nonlinear": lambda bad: solve_nonlinear(MATRIX, curve, bad, r_word=1.0),
    "netlist": lambda bad: netlist(bad, [1.0, 1.0]),
    "netlist, voltages": lambda bad: netlist(MATRIX, bad),
}
RIGHT = {
    # What these functions take for what it is.
    "program targets": {"other shape", "flat"},
    "write": {"flat"},
    "effective_matrix": {
        "other shape",
        "beyond int64",
        "beyond NumPy",
        "fractions",
        "exact fractions",
    },
    "netlist": {"beyond int64", "beyond NumPy", "fractions", "exact fractions"},
}


@pytest.mark.parametrize("function", [*ARRAYS, *NUMBER_ARRAYS])
@pytest.mark.parametrize("bad", BAD_INTEGERS)
def test_every_function_of_arrays_refuses_what_are_no_numbers(function, bad):
    """Each refuses in a sentence, or takes it after all; none ends in another exception."""
    act = (ARRAYS | NUMBER_ARRAYS)[function]
    try:
        act(BAD_INTEGERS[bad])
    except UserError as error:
        assert len(str(error)) < 300
    else:
        assert bad not in ("bools", "strings", "bytes", "nothing", "complex", "dates", "ragged")
        assert bad not in ("bools among objects", "text", "set", "deep", "not a number")


# Single values

ODD = [True, "1", None, 1.5, math.nan, 10**400, [1], 1j, np.array([1, 2])]


@pytest.mark.parametrize("odd", ODD, ids=str_of)
@pytest.mark.parametrize(
    "act",
    [
        lambda odd: require_integer("x", odd, 0, 9),
        lambda odd: Machine(CONFIG).start(odd),
        lambda odd: Machine(CONFIG).read(Space.VECTOR, odd, 1),
        lambda odd: Machine(CONFIG).read(Space.VECTOR, 0, odd),
        lambda odd: Machine(CONFIG).write(Space.VECTOR, odd, [1]),
        lambda odd: Machine(CONFIG).read(odd, 0, 1),
        lambda odd: targets(CONFIG, np.zeros((2, 2)), rows=slice(odd, None)),
        lambda odd: targets(CONFIG, np.zeros((2, 2)), columns=slice(None, odd)),
        lambda odd: targets(CONFIG, np.zeros((2, 2)), rows=odd),
        lambda odd: solve_nonlinear(MATRIX, curve, [1, 1], iterations=odd),
    ],
)
def test_single_integers_are_checked(act, odd):
    try:
        act(odd)
    except UserError:
        return
    except Exception as error:
        # An address beyond the space is a refusal of the machine, and not of the type.
        assert type(error).__name__ == "MachineError" and odd == 10**400
    else:
        assert odd is None, "an open end of a slice"


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd is not ODD[3]], ids=str_of)
@pytest.mark.parametrize(
    "act",
    [
        lambda odd: require_number("x", odd, 0.0, 9.0, "volts"),
        lambda odd: cells().wait(odd),
        lambda odd: calibrate(CONFIG, np.ones((2, 2)), odd),
        lambda odd: effective_matrix(MATRIX, r_word=odd),
        lambda odd: line_voltages(MATRIX, [1, 1], r_sense=odd),
        lambda odd: netlist(MATRIX, [1, 1], r_bit=odd),
        lambda odd: solve_nonlinear(MATRIX, curve, [1, 1], tolerance=odd),
    ],
)
def test_single_numbers_are_checked(act, odd):
    with pytest.raises(UserError):
        act(odd)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_bounds_of_integers_are_exact_whatever_the_type_holds(kind):
    low, high = -(1 << 31), (1 << 31) - 1
    assert checked_integers("it", kind([3, -4]), (2,), low, high).tolist() == [3, -4]
    for outside in (high + 1, -(1 << 32)):
        if abs(outside) <= float(np.finfo(kind).max):
            with pytest.raises(UserError, match=rf"^it\[0\] must be an integer .*, not {outside}"):
                checked_integers("it", kind([outside]), (1,), low, high)
