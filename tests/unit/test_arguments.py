"""Arguments of the Python API: what cannot be used is refused in one sentence, before work."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from golden.machine.machine import Machine
from ohmulator import Chip, ChipConfig, Physics, UserError, load
from ohmulator.compiler import compile_matrix, multiply
from ohmulator.compiler import load as load_program
from ohmulator.host import Host, LinkError, ModelCarrier, ProgramError
from spec.isa import Space

CONFIG = load(
    "digits",
    rows=4,
    columns=4,
    adcs=2,
    tiles=2,
    vector_words=64,
    program_words=64,
    weight_words=64,
    matrices=2,
)
HUGE = 10**5000
"""An integer that Python does not print."""


def new_host(**options):
    return Host(ModelCarrier(Machine(CONFIG)), CONFIG, **options)


def write(words=(1, 2), space=Space.VECTOR, address=0):
    new_host().write(space, address, words)


def read(space=Space.VECTOR, address=0, count=1):
    return new_host().read(space, address, count)


def compiled(weights=((1, 2), (3, 4)), config=CONFIG, **options):
    return compile_matrix(config, weights, **options)


def loaded(target="host", program="program", set_tile=None):
    target = new_host() if isinstance(target, str) and target == "host" else target
    load_program(
        target,
        compiled() if isinstance(program, str) and program == "program" else program,
        set_tile,
    )


def product(vectors=((1, 2),), target="host", program="program", transposed=False):
    target = new_host() if isinstance(target, str) and target == "host" else target
    program = compiled() if isinstance(program, str) and program == "program" else program
    return multiply(target, program, vectors, transposed=transposed)


def chip(config=CONFIG, carrier=None, **fields):
    return Chip(config, carrier=carrier, **fields)


def on_chip(weights=((1, 2), (3, 4)), shift=0, vectors=((1, 2),), transposed=False):
    with Chip(CONFIG) as chip:
        return chip.matrix(weights, shift=shift).multiply(vectors, transposed=transposed)


def carried(instructions=1):
    return ModelCarrier(Machine(CONFIG), instructions)


def started(pc=0):
    new_host().start(pc)


def run(pc=0, timeout_s=1.0):
    new_host().run(pc, timeout_s)


CALLS = {
    new_host: ["timeout_s", "retries"],
    write: ["words", "space", "address"],
    read: ["space", "address", "count"],
    started: ["pc"],
    run: ["pc", "timeout_s"],
    carried: ["instructions"],
    compiled: ["weights", "config", "shift", "matrix", "tile", "address", "start"],
    loaded: ["target", "program", "set_tile"],
    product: ["vectors", "target", "program", "transposed"],
    chip: ["config", "carrier", "adc_bits", "rows", "matrices", "read_noise", "physics", "mapping"],
    on_chip: ["weights", "shift", "vectors", "transposed"],
}


REFUSED = [
    (read, "space", 9, "^space must be one of VECTOR, PROGRAM, SCALAR, .* HOLDING, not 9$"),
    (read, "space", "VECTOR", "^space must be one of .*, not 'VECTOR'$"),
    (read, "space", True, "^space must be one of .*, not True$"),
    (read, "count", -1, "^count must be an integer of 0 to 4294967295, not -1$"),
    (read, "count", 1.5, "^count must be an integer of 0 to 4294967295, not 1.5$"),
    (read, "address", -1, "^address must be an integer of 0 to 4294967295, not -1$"),
    (
        read,
        "address",
        1 << 32,
        "^address must be an integer of 0 to 4294967295, not 4294967296",
    ),
    (write, "address", (1 << 32) - 1, "^address must be an integer of 0 to 4294967294, not 4"),
    (write, "words", [1, [2, 3]], "^words must be a list of integers, not one of lists$"),
    (
        write,
        "words",
        [HUGE],
        "^words must be integers of -2147483648 to 4294967295, not an int",
    ),
    (write, "words", [True], r"^words must be a list of integers, not bool of shape \(1,\)$"),
    (write, "words", "text", r"^words must be a list of integers, not <U4 of shape \(\)$"),
    (write, "words", None, r"^words must be a list of integers, not object of shape \(\)$"),
    (started, "pc", 1.5, "^pc must be an integer of 0 to 4294967295, not 1.5$"),
    (started, "pc", None, "^pc must be an integer of 0 to 4294967295, not None$"),
    (run, "pc", -1, "^pc must be an integer of 0 to 4294967295, not -1$"),
    (run, "timeout_s", -1, r"^timeout_s must be a number of 0 to 1e\+06 seconds, not -1$"),
    (
        run,
        "timeout_s",
        float("nan"),
        r"^timeout_s must be a number of 0 to 1e\+06 seconds, not",
    ),
    (
        new_host,
        "timeout_s",
        float("nan"),
        "^timeout_s must be a number of .* seconds, not nan$",
    ),
    (
        new_host,
        "timeout_s",
        float("inf"),
        "^timeout_s must be a number of .* seconds, not inf$",
    ),
    (new_host, "timeout_s", None, "^timeout_s must be a number of .* seconds, not None$"),
    (new_host, "retries", -1, "^retries must be an integer of 0 to 1000000, not -1$"),
    (new_host, "retries", True, "^retries must be an integer of 0 to 1000000, not True$"),
    (carried, "instructions", 0, "^instructions must be an integer of 1 to 4294967296, not 0$"),
    (
        compiled,
        "config",
        "digits",
        "^config must be a ChipConfig, not 'digits': see ohmulator.",
    ),
    (compiled, "weights", [[1, 2], [3]], "^weights must have the shape n x n, but have lines"),
    (compiled, "weights", [[True]], "^weights must be numbers, not of type bool$"),
    (
        compiled,
        "weights",
        [[1.5]],
        r"^weights\[0, 0\] must be an integer of -60 to 60, not 1.5",
    ),
    (
        compiled,
        "weights",
        [[HUGE]],
        r"^weights\[0, 0\] must be an integer of -60 to 60, not an ",
    ),
    (compiled, "weights", [["1"]], "^weights must be numbers, not of type <U1$"),
    (compiled, "weights", None, "^weights must have the shape n x n, not that of a single"),
    (compiled, "shift", 64, "^shift must be an integer of 0 to 63, not 64$"),
    (compiled, "shift", 1.0, "^shift must be an integer of 0 to 63, not 1.0$"),
    (compiled, "matrix", -1, r"^matrix must be an integer of 0 to 1 \(matrices - 1\), not -1$"),
    (compiled, "tile", 2, r"^tile must be an integer of 0 to 1 \(tiles - 1\), not 2$"),
    (
        compiled,
        "address",
        65,
        r"^address must be an integer of 0 to 64 \(weight_words\), not 65",
    ),
    (compiled, "start", 65, r"^start must be an integer of 0 to 64 \(program_words\), not 65$"),
    (
        loaded,
        "target",
        None,
        r"^chip must have a method write\(\), unlike None: give a Host$",
    ),
    (loaded, "program", "MVM", "^program must be what compile_matrix returns, not 'MVM'$"),
    (loaded, "set_tile", 5, "^set_tile must be a function, not 5$"),
    (product, "target", CONFIG, r"^chip must have a method write\(\), unlike ChipConfig"),
    (product, "program", None, "^program must be what compile_matrix returns, not None$"),
    (product, "vectors", [[1, 2, 3]], "^vectors must have the shape n x 2, not 1 x 3$"),
    (product, "vectors", [1, 2, 3], "^vectors must have the shape 2, not 3$"),
    (
        product,
        "vectors",
        [[1], [2, 3]],
        "^vectors must have the shape n x 2, but have lines of",
    ),
    (product, "vectors", 7, "^vectors must have the shape n x 2, not that of a single value$"),
    (product, "vectors", [1 << 31, 0], r"^vectors\[0\] must be an integer of -2147483648 to 2"),
    (product, "vectors", [[0, np.nan]], r"^vectors\[0, 1\] must be an integer of .* not nan$"),
    (product, "transposed", 1, "^transposed must be True or False, not 1$"),
    (chip, "config", 5, "^a configuration must be the name of a preset or the path of a .toml"),
    (
        chip,
        "carrier",
        "COM3",
        r"^carrier must have a method send\(\), unlike 'COM3': take one of",
    ),
    (
        chip,
        "adc_bits",
        HUGE,
        "^adc_bits must be an integer of 1 to 32, not an integer of 16610",
    ),
    (chip, "nothing", 1, "^unknown key 'nothing' in a ChipConfig: "),
    (on_chip, "shift", -1, "^shift must be an integer of 0 to 63, not -1$"),
    (on_chip, "weights", [], "^weights must have the shape n x n, not 0$"),
    (on_chip, "vectors", [[True, False]], "^vectors must be numbers, not of type bool$"),
]


@pytest.mark.parametrize(
    "call, argument, value, message",
    REFUSED,
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_used_is_named(call, argument, value, message):
    with pytest.raises(UserError, match=message):
        call(**{argument: value})


def test_arguments_are_refused_before_anything_is_sent():
    """A chip that has been left alone answers another host without a word of it."""
    machine = Machine(CONFIG)
    host, program = Host(ModelCarrier(machine), CONFIG), compiled()
    sent = []
    host._link._carrier.send = sent.append
    for use in (
        lambda: multiply(host, program, [[1, 2, 3]]),
        lambda: multiply(host, program, [[1, 2]], transposed="no"),
        lambda: load_program(host, program, 5),
        lambda: host.write(Space.VECTOR, 0, [1.5]),
        lambda: host.run(timeout_s=-1),
    ):
        with pytest.raises(UserError):
            use()
    assert sent == []


def test_numbers_of_numpy_are_numbers():
    host = new_host(timeout_s=np.float32(0.5), retries=np.int8(2))
    host.write(np.uint8(0), np.int64(3), np.array([1, -1], np.int8))
    assert host.read(np.int64(0), np.uint16(3), np.int32(2)).tolist() == [1, (1 << 32) - 1]
    program = compiled(np.eye(2), shift=np.uint8(1), matrix=np.int64(1), start=np.int16(3))
    found = multiply(host, program, np.array([[3.0, 4.0]]), transposed=np.bool_(True))
    assert found.tolist() == [[2, 2]]
    host.start(np.int64(60))


class Odd:
    """Something that is no argument at all."""

    def __repr__(self):
        return "odd\n" * 30


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.integers(),
    st.builds(lambda sign: sign * HUGE, st.sampled_from([1, -1])),
    st.sampled_from([1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 64]),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=9),
    st.binary(max_size=9),
    st.sampled_from([Odd(), Odd, object(), range(3), {1, 2}, {"a": 1}, Ellipsis, CONFIG, Space]),
    st.sampled_from(
        [
            np.int64(1),
            np.float64("nan"),
            np.bool_(True),
            np.zeros((0, 2)),
            np.zeros((2, 0)),
            np.zeros((2, 2, 2)),
            np.array(5),
            np.array([[1 << 63]], np.uint64),
            np.array(["2020-01-01"], "M8[D]"),
            np.array([[1j]]),
            np.array([[None]]),
            np.ones((2, 2), "f2"),
            np.ones(2, [("x", "i4")]),
            np.ma.masked_array([[1, 2]], [[True, False]]),
        ]
    ),
)
arguments = st.recursive(junk, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


@settings(deadline=None, max_examples=600)
@given(
    st.sampled_from([(call, name) for call, names in CALLS.items() for name in names]), arguments
)
def test_any_argument_ends_in_a_value_or_one_sentence(where, value):
    """Programs that are not there, and spaces that are small, refuse what is in range."""
    call, name = where
    assume(not (name == "set_tile" and callable(value)))  # its errors are its owner's
    try:
        call(**{name: value})
    except (LinkError, ProgramError, UserError) as error:
        assert "\n" not in str(error) and len(str(error)) < 500


@pytest.mark.parametrize("call, names", CALLS.items())
def test_every_call_of_these_tests_is_good_as_it_is(call, names):
    if call in (started, run):
        with pytest.raises(ProgramError) if call is run else pytest.MonkeyPatch.context():
            call()
        return
    call()


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([ChipConfig, Physics]), st.data())
def test_any_field_of_a_configuration_ends_in_a_value_or_one_sentence(table, data):
    names = [*table.TABLES, *table.field_names()]
    changes = data.draw(st.dictionaries(st.sampled_from(names), arguments, max_size=3))
    try:
        CONFIG.replace(**changes) if table is ChipConfig else Physics.of(**changes)
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 500
