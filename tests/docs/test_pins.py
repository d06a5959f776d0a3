"""The page of pins: every pin of the macro, with its width."""

import pytest

from hw.boundary.macro import pins
from ohmulator.pages.pins import document
from spec.load import load, presets


@pytest.mark.parametrize("preset", presets())
def test_every_pin_is_there_with_its_width(preset):
    page = document(preset)
    for pin in pins(load(preset)):
        side = "in" if pin.is_input else "out"
        assert f"| `{pin.name}` | {side} | {pin.bits} | " in page


def test_transposed_products_are_told_where_there_are_any():
    assert "In MVM_T " in document("digits")
    assert "In MVM_T " not in document("isaac")
    assert "the last ADC the unit column" in document("isaac")
