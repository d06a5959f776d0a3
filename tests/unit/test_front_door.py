"""The front door: matrices on one chip, in a few lines of Python."""

import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ohmulator
from golden.machine.machine import Machine
from golden.machine.programmer import write_verify
from ohmulator import Chip, LinkError, MismatchError, UserError, load
from ohmulator.host import ModelCarrier

ROOT = Path(ohmulator.__file__).resolve().parents[1]
SMALL = load(
    "digits",
    rows=4,
    columns=3,
    adcs=1,
    adc_bits=11,
    tiles=3,
    lanes=2,
    vector_words=64,
    program_words=256,
    weight_words=512,
)
"""A lossless chip on which a few small matrices need more tiles than there are."""


def random_matrix(rng, shape):
    return rng.integers(-60, 61, shape)


def random_vectors(rng, *shape):
    return rng.integers(-32, 32, shape)


def test_the_example_of_the_package_runs():
    example = textwrap.dedent(inspect.getdoc(ohmulator).split("\n\n", 1)[1].rsplit("\n\n", 1)[0])
    assert len([line for line in example.splitlines() if line]) <= 5
    rng = np.random.default_rng(0)
    names = {"weights": random_matrix(rng, (500, 100)), "vectors": random_vectors(rng, 5, 500)}
    exec(example, names)
    np.testing.assert_array_equal(names["results"], names["vectors"] @ names["weights"])


@st.composite
def orders(draw):
    """Draw shapes of matrices, and an order of products: matrix, vectors, direction."""
    side = st.integers(1, 9)
    shapes = draw(st.lists(st.tuples(side, side), min_size=1, max_size=6))
    product = st.tuples(
        st.integers(0, len(shapes) - 1), st.none() | st.integers(0, 12), st.booleans()
    )
    return shapes, draw(st.lists(product, min_size=1, max_size=8)), draw(st.integers(0, 999))


@settings(deadline=None)
@given(orders())
def test_matrices_side_by_side_multiply_as_numpy_does(order):
    """Any shapes, in any order, either direction, one vector or many."""
    shapes, products, seed = order
    rng = np.random.default_rng(seed)
    with Chip(SMALL) as chip:
        matrices = [(weights, chip.matrix(weights)) for weights in map_shapes(rng, shapes)]
        for number, count, transposed in products:
            weights, matrix = matrices[number]
            factor = weights.T if transposed else weights
            length = len(factor)
            vectors = random_vectors(rng, *([length] if count is None else [count, length]))
            found = matrix.multiply(vectors, transposed=transposed)
            assert found.shape == (vectors @ factor).shape
            np.testing.assert_array_equal(found, vectors @ factor)


def map_shapes(rng, shapes):
    return [random_matrix(rng, shape) for shape in shapes]


def test_matrices_that_fit_the_tiles_are_programmed_once():
    rng = np.random.default_rng(1)
    with Chip(SMALL, tiles=4) as chip:
        matrices = [chip.matrix(random_matrix(rng, shape)) for shape in ((4, 3), (8, 3), (1, 1))]
        for _ in range(3):
            for matrix in matrices:
                rows, columns = matrix.shape
                matrix.multiply(random_vectors(rng, 2, rows))
                matrix.multiply(random_vectors(rng, columns), transposed=True)
        assert chip.counters()["reprograms"] == 4


def test_results_are_shifted_and_saturations_counted():
    with Chip(SMALL) as chip:
        matrix = chip.matrix([[3], [-5]], shift=2)
        assert matrix.multiply([[1, 1], [2, 0], [0, 2]]).tolist() == [[0], [2], [-2]]
        assert matrix.multiply([2, 0]).tolist() == [2]
        assert chip.counters()["saturations"] == 0


def test_weights_are_a_copy_that_cannot_be_changed():
    weights = np.ones((2, 2), np.int64)
    with Chip(SMALL) as chip:
        matrix = chip.matrix(weights)
        weights[:] = 7
        assert matrix.weights.tolist() == [[1, 1], [1, 1]]
        with pytest.raises(ValueError, match="read-only"):
            matrix.weights[0, 0] = 7


@pytest.mark.parametrize(
    "fields, shape, before, message",
    [
        ({"matrices": 2}, (1, 1), 2, "the chip holds 2 matrices already: raise matrices to 3"),
        (
            {"matrices": 64, "program_words": 2048},
            (1, 1),
            64,
            "holds 64 matrices already: matrices cannot be raised to 65, so use a smaller matrix "
            "or another chip",
        ),
        (
            {"weight_words": 20},
            (4, 3),
            1,
            "the 12 weights of a matrix of 4 x 3 do not fit the weight memory of 20 from 12 on: "
            "raise weight_words to 24",
        ),
        (
            {"program_words": 30},
            (1, 1),
            2,
            "a program of 13 instructions does not fit the program memory of 30 from 26 on: "
            "raise program_words to 39",
        ),
        (
            {"weight_words": 1000},
            (40, 25),
            0,
            "a vector of 40 words and its result of 25 do not fit the vector memory of 64: "
            "raise vector_words to 128",
        ),
        (
            {},
            (65536, 1),
            0,
            "memory of 64: vector_words cannot be raised to 131072, so use a smaller matrix",
        ),
    ],
)
def test_a_full_chip_says_what_is_full(fields, shape, before, message):
    """And goes on with what it has; the advice, followed, makes room."""
    with Chip(SMALL, **fields) as chip:
        matrices = [chip.matrix(np.full(shape, n % 60)) for n in range(before)]
        with pytest.raises(UserError, match=message):
            chip.matrix(np.ones(shape))
        for n, matrix in enumerate(matrices):
            assert (matrix.multiply(np.ones(shape[0])) == shape[0] * (n % 60)).all()
    if "raise " in message:
        name, value = message.rpartition("raise ")[2].split(" to ")
        with Chip(SMALL, **fields | {name: int(value)}) as chip:
            for _ in range(before + 1):
                chip.matrix(np.ones(shape))


def test_any_carrier_reaches_a_chip():
    machine = Machine(SMALL, write_verify)
    with Chip(SMALL, carrier=ModelCarrier(machine)) as chip:
        chip.matrix(np.ones((4, 3))).multiply(np.ones(4))
        assert chip.counters()["tile0.pulses"] == sum(c["pulses"] for c in machine.tile_counters)
    with pytest.raises(MismatchError, match="the chip has rows = 4 and the configuration 8"):
        Chip(SMALL, rows=8, carrier=ModelCarrier(machine))


def test_a_closed_chip_is_refused():
    closed = []

    class Closing(ModelCarrier):
        def close(self):
            closed.append(self)

    with Chip(SMALL, carrier=Closing(Machine(SMALL))) as chip:
        matrix = chip.matrix([[1]])
    chip.close()
    assert len(closed) == 1
    for use in (chip.counters, lambda: chip.matrix([[1]]), lambda: matrix.multiply([[1]])):
        with pytest.raises(UserError, match=r"^the chip was closed: make a new one to go on$"):
            use()


def test_chips_take_presets_files_and_configurations(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text((ROOT / "spec" / "presets" / "digits.toml").read_text())
    for source in ("digits", str(file), file, load("digits")):
        with Chip(source, adc_bits=13) as chip:
            assert chip.config == load("digits", adc_bits=13)


@pytest.mark.parametrize(
    "arguments, fields, message",
    [
        (["no"], {}, "configuration 'no' is neither a preset"),
        ([7], {}, "a configuration must be the name of a preset or the path of a .toml file, not"),
        ([None], {}, "a configuration must be the name"),
        (["digits"], {"adc_bit": 3}, "unknown key 'adc_bit' .* did you mean 'adc_bits'"),
        (["digits"], {"adc_bits": 99}, "adc_bits must be an integer of 1 to 32, not 99"),
        (["digits"], {"carrier": 5}, r"carrier must have a method send\(\), unlike 5: take one of"),
        (["digits"], {"carrier": 0}, r"carrier must have a method send\(\), unlike 0: take one of"),
        (
            [SMALL],
            {"input_bits": 1, "dac_bits": 1, "adc_bits": 1},
            "adc_bits=1 cannot tell the 8 levels of a cell .* raise adc_bits to 5",
        ),
    ],
)
def test_chips_that_cannot_be_made_are_refused(arguments, fields, message):
    with pytest.raises(UserError, match=message):
        Chip(*arguments, **fields)


def test_chips_that_share_a_device_are_right_or_say_so():
    machine = Machine(SMALL)
    rng = np.random.default_rng(4)
    chips = [Chip(SMALL, carrier=ModelCarrier(machine)) for _ in range(2)]
    weights = [random_matrix(rng, (6, 5)) for _ in chips]
    matrices = [chip.matrix(each) for chip, each in zip(chips, weights, strict=True)]
    for _ in range(3):
        for matrix, each in zip(matrices, weights, strict=True):
            vectors = random_vectors(rng, 2, 6)
            np.testing.assert_array_equal(matrix.multiply(vectors), vectors @ each)
    with pytest.raises(LinkError, match="reset, or another host used it, in the meantime"):
        chips[0].host.start()


# Names


def test_every_name_can_be_imported():
    for name in ohmulator.__all__:
        assert getattr(ohmulator, name).__name__ == name
        assert name in dir(ohmulator)
    assert ohmulator.__all__ == sorted(ohmulator.__all__)
    with pytest.raises(AttributeError, match="module 'ohmulator' has no attribute 'chips'"):
        _ = ohmulator.chips


def python(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_package_alone_imports_nothing_heavy(tmp_path):
    code = "import sys, ohmulator; print(*{'numpy', 'spec', 'golden', 'scipy'} & {*sys.modules})"
    done = python(tmp_path, "-c", code)
    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.parametrize("name", ["spec", "golden", "hw", "sim"])
@pytest.mark.parametrize("kind", ["module", "package", "folder"])
def test_packages_that_others_hide_are_named(tmp_path, name, kind):
    """A script's own folder comes first, whatever PYTHONPATH says."""
    script = tmp_path / "script.py"
    script.write_text("from ohmulator import Chip\nprint(Chip)\n")
    if kind == "module":
        hiding = tmp_path / f"{name}.py"
        hiding.write_text("")
    elif kind == "package":
        hiding = tmp_path / name / "__init__.py"
        hiding.parent.mkdir()
        hiding.write_text("")
    else:
        # A folder without code hides nothing from Python.
        (tmp_path / name).mkdir()
        assert python(tmp_path, str(script)).stdout.startswith("<class")
        return
    done = python(tmp_path, str(script))
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and done.stdout == ""
    assert last == (
        f"ImportError: ohmulator runs from its checkout, {ROOT}, but {name!r} is imported from "
        f"{hiding}: rename that"
    )


def test_a_package_that_is_missing_is_named(tmp_path):
    (tmp_path / "ohmulator").symlink_to(ROOT / "ohmulator")
    code = (
        "import sys; sys.path = [p for p in sys.path if 'lib' in p and 'site-packages' not in p];"
        f"sys.path.insert(0, {str(tmp_path)!r}); from ohmulator import Chip"
    )
    done = python(tmp_path, "-I", "-S", "-c", code)
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: ohmulator runs from its checkout, {ROOT}, but 'spec' is not found: set "
        "PYTHONPATH to the checkout"
    )
