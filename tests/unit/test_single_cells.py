"""Currents and noise of single cells, as write-verify reads them, against their parameters."""

import numpy as np
import pytest

from golden.array.cells import Pulse
from golden.array.lines import Array
from spec.errors import UserError
from tests.support.configs import chip

CONFIG = chip(rows=4, columns=3, adcs=3, slices=2, dac_bits=4)
WHERE = [0, 1, 1, 0], [0, 3, 2, 1], [0, 5, 1, 4]
WIRES = {"r_word_ohm": 70.0, "r_bit_ohm": 110.0, "r_driver_ohm": 310.0, "r_sense_ohm": 530.0}


def array(**physics: float) -> Array:
    """Return an array with cells of all conductances."""
    made = Array(CONFIG.replace(**physics))
    shape = made.cells.shape
    made.cells.program(np.arange(np.prod(shape)).reshape(shape) % CONFIG.levels)
    return made


@pytest.mark.parametrize("present", [[name] for name in WIRES] + [[*WIRES]])
def test_wires_are_in_series_with_a_cell(present):
    """One stretch a word line's cells before it, one a bit line's after it, and both ends."""
    wires = {name: ohm for name, ohm in WIRES.items() if name in present}
    currents, _ = array(**wires).cell_currents(*WHERE)
    ohm = dict.fromkeys(WIRES, 0.0) | wires
    for current, slice_, row, line in zip(currents, *WHERE, strict=True):
        number = (slice_ * CONFIG.array.rows + row) * CONFIG.bit_lines + line
        g_s = CONFIG.array.g_min_s + number % CONFIG.levels * CONFIG.g_step_s
        path = ohm["r_driver_ohm"] + line * ohm["r_word_ohm"]
        path += (CONFIG.array.rows - 1 - row) * ohm["r_bit_ohm"] + ohm["r_sense_ohm"]
        expected = CONFIG.verify_code / (1 / g_s + path) / CONFIG.g_step_s
        assert current == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("read", "dac"), [(0.0, 0.0), (0.03, 0.0), (0.0, 0.4), (0.03, 0.4)])
def test_noise_of_a_cell_is_a_share_of_its_current_and_a_share_of_an_lsb(read, dac):
    still, none = array().cell_currents(*WHERE)
    currents, noise = array(read_noise=read, dac_noise=dac).cell_currents(*WHERE)
    assert not none.any()
    np.testing.assert_allclose(currents, still)
    by_one_lsb = still / CONFIG.verify_code
    np.testing.assert_allclose(noise**2, (read * still) ** 2 + (dac * by_one_lsb) ** 2)


def test_amplitudes_reach_up_to_sixteen_bits():
    cells = array().cells
    cells.pulse(0, 0, 0, Pulse.SET, (1 << 16) - 1)
    with pytest.raises(UserError, match=r"amplitude .* a DAC code of 0 to 65535, not 65536"):
        cells.pulse(0, 0, 0, Pulse.SET, 1 << 16)
    with pytest.raises(UserError, match=r"amplitude .* a DAC code of 0 to 65535, not -1"):
        cells.pulse(0, 0, 0, Pulse.SET, -1)
