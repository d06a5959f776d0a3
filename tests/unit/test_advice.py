"""Advice of refusals: followed to the letter, it cures."""

import re

import hypothesis
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from golden.array.lines import Array
from golden.tile.analog import Analog
from spec.advice import cures
from spec.config import ChipConfig
from spec.errors import UserError
from spec.physics import WIRES
from tests.support.advice import changes
from tests.support.configs import FAULTS, chip

SMALL_FIELDS = {name: chip().value(name) for name in ChipConfig.field_names()}


@st.composite
def fields(draw: st.DrawFn) -> dict:
    """Draw fields of which each is in its range, while together they may be refused."""
    sizes = st.sampled_from([1, 2, 3, 5, 64, 96, 1024])
    columns, cell_bits = draw(sizes), draw(st.integers(1, 6))
    input_bits, adc_bits = draw(st.sampled_from([1, 2, 8, 24, 32])), draw(st.integers(1, 32))
    names = draw(st.lists(st.sampled_from(sorted(FAULTS)), unique=True, max_size=4))
    return {
        "rows": draw(sizes),
        "columns": columns,
        "adcs": draw(st.sampled_from([n for n in (1, 2, 3, 5, 32, 1024) if columns % n == 0])),
        "cell_bits": cell_bits,
        "slices": draw(st.integers(1, 32 // cell_bits)),
        "mapping": draw(st.sampled_from(["differential", "offset"])),
        "input_bits": input_bits,
        "dac_bits": draw(st.integers(1, input_bits)),
        "adc_bits": adc_bits,
        "accumulator_bits": draw(st.just(0) | st.integers(adc_bits, 63)),
        "g_min_s": draw(st.sampled_from([0.0, 0.5e-6, 34e-6, 34.9999999e-6])),
        "tiles": 1,
        **{name: draw(st.sampled_from(FAULTS[name])) for name in names},
    }


def unchecked(given: dict) -> ChipConfig:
    """Return tables that are valid each by itself, as a configuration that may be refused."""
    tables = {}
    for name, table in ChipConfig.TABLES.items():
        own = {field: given[field] for field in table.field_names() if field in given}
        tables[name] = table.of(**own)
    config = object.__new__(ChipConfig)
    config.__dict__.update(tables)
    return config


def refused(make) -> str:
    """Return the words in which something is refused, or "" if it is not."""
    try:
        make()
    except UserError as error:
        return str(error)
    return ""


OFTEN_PASSED_OVER = settings(
    deadline=None, max_examples=30, suppress_health_check=[hypothesis.HealthCheck.filter_too_much]
)
"""Most configurations are refused for another reason than the one looked at, or for none."""

TINY = {"rows": 1, "columns": 1, "adcs": 1, "slices": 16, "cell_bits": 2}


@given(fields())
@example({**TINY, "input_bits": 32, "dac_bits": 1, "adc_bits": 31})
@OFTEN_PASSED_OVER
def test_advice_on_widths_cures(wild):
    """Also where the size of the matrix, which every other refusal names first, is least."""
    wild = {name: value for name, value in wild.items() if name not in FAULTS}
    message = refused(lambda: ChipConfig.of(**wild))
    assume(message)
    assert message.startswith("results need ")
    for change in changes(unchecked(wild), message):
        ChipConfig.of(**wild | change)


@given(fields())
@OFTEN_PASSED_OVER
def test_advice_on_cells_that_cannot_be_verified_cures(wild):
    assume(not refused(lambda: ChipConfig.of(**wild)))
    config = ChipConfig.of(**wild)
    message = refused(config.require_verifiable)
    assert bool(message) != config.verifiable
    assume(message)
    for change in changes(config, message):
        config.replace(**change).require_verifiable()


@given(fields())
@OFTEN_PASSED_OVER
def test_advice_on_physics_that_cannot_be_computed_cures(wild):
    # Tables of this many bits take their time.
    wild |= {"adc_bits": min(wild["adc_bits"], 10), "dac_bits": min(wild["dac_bits"], 8)}
    wild |= {"rows": min(wild["rows"], 96), "columns": 1, "adcs": 1}
    assume(not refused(lambda: ChipConfig.of(**wild)))
    config = ChipConfig.of(**wild)
    message = refused(lambda: Array(config))
    assume(message)
    kind = message.split()[0]
    assert kind in ("sums", "errors")
    for change in changes(config, message):
        after = refused(lambda change=change: Array(config.replace(**change)))
        assert not after.startswith(kind)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *((name, {"g_max_s": g_max_s}) for name in WIRES for g_max_s in (35e-6, 3e-5, 7.7e-4)),
        *(("nonlinearity", {"v_read_v": v_read_v}) for v_read_v in (0.3, 0.7, 7.0)),
    ],
)
def test_limits_of_physics_are_shown_with_all_digits_that_matter(name, given):
    message = refused(lambda: chip(**given, **{name: 99.0 if name == "nonlinearity" else 1e9}))
    most = float(re.search(r"at most (\S+) ", message)[1])
    assert chip(**given, **{name: most}).value(name) == most
    above = float(np.nextafter(most, np.inf))
    message = refused(lambda: chip(**given, **{name: above}))
    assert repr(above) in message and f"at most {most!r} " in message


@pytest.mark.parametrize("name", ["settle_s", "pulse_s", "conversion_s"])
@pytest.mark.parametrize("clock_hz", [7e6, 7e7, 1.2e9, 1e11])
@pytest.mark.parametrize("seconds", [1.0, 0.7, 0.33333])
def test_advice_on_times_cures(name, clock_hz, seconds):
    given = {"clock_hz": clock_hz, name: seconds}
    message = refused(lambda: chip(**given))
    for change in changes(unchecked(SMALL_FIELDS | given), message):
        chip(**given | change)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (
            {"adc_bits": 28, "adc_inl": 1.0, "columns": 64, "adcs": 64},
            "lower adc_bits to 17 or adc_",
        ),
        (
            {"input_bits": 24, "dac_bits": 24, "dac_inl": 1.0, "adc_bits": 8},
            "lower dac_bits to 21 ",
        ),
    ],
)
def test_advice_on_tables_cures(given, advice):
    config = chip(**given)
    message = refused(lambda: Analog(config, Array(config)))
    assert advice in message
    for change in changes(config, message):
        other = config.replace(**change)
        Analog(other, Array(other))


def test_where_nothing_cures_the_advice_says_so():
    config = chip()
    assert cures(config, lambda _: False, {"rows": [2, 1], "columns": []}) == (
        "no change of rows alone cures it"
    )


def test_several_changes_that_cure_together_are_as_few_as_it_takes():
    def good(config: ChipConfig) -> bool:
        return config.array.rows <= 1 and config.converter.input_bits >= 6

    choices = {"rows": [2, 1], "slices": [1], "input_bits": range(5, 9), "g_min_s": [1e-7]}
    assert cures(chip(), good, choices) == "lower rows to 1 and raise input_bits to 6"
