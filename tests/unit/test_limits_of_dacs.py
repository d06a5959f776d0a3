"""DACs may be off so far: to four times their largest code, ten deviations of noise included."""

import numpy as np
import pytest

from golden.converter.dac import Dacs
from spec.errors import UserError
from tests.support.configs import chip

# Codes of -4 to 7.
CONFIG = chip(input_bits=6, dac_bits=3)
TOP = 7


def test_noise_alone_may_reach_three_times_the_largest_code():
    assert Dacs(CONFIG.replace(dac_noise=0.3 * TOP)).largest == 4 * TOP
    with pytest.raises(
        UserError, match=r"reach 28\.09\d+ LSB, more than four times .* code, 7: lower"
    ):
        Dacs(CONFIG.replace(dac_noise=2.11))


@pytest.mark.parametrize("errors", [{"dac_offset": 1.0}, {"dac_gain": 0.1}, {"dac_inl": 1.0}])
def test_the_largest_voltage_is_that_of_any_code_that_a_dac_has(errors):
    """Also of those of its width that inputs never need."""
    still = Dacs(CONFIG.replace(**errors))
    codes = np.arange(-8, 8)[:, None] + np.zeros(CONFIG.drive_lines, int)
    largest = np.abs(still.settled(codes)).max()
    assert still.largest == pytest.approx(largest)
    assert Dacs(CONFIG.replace(dac_noise=0.5, **errors)).largest == pytest.approx(largest + 5)


def test_advice_on_errors_of_dacs_cures():
    with pytest.raises(UserError, match=r"lower dac_offset to (\S+)$") as caught:
        Dacs(CONFIG.replace(dac_offset=20.0))
    lowered = float(str(caught.value).rpartition(" ")[2])
    assert Dacs(CONFIG.replace(dac_offset=lowered)).largest <= 4 * TOP
