"""A message about a Yosys that died has the end of what it printed, where the reason is."""

import pytest
from amaranth._toolchain.yosys import YosysError

from hw.tools.yosys import refuse_death
from spec.errors import HelperError


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("ERROR:\n  no\tsuch  file\n", "ERROR: no such file"),
        ("x" * 200, "x" * 200),
        ("y" + "x" * 200, "x" * 200),
        (" \n", "it was killed, as by a system that runs out of memory or disk"),
    ],
)
def test_the_reason_is_the_end_of_what_was_printed(printed, why):
    with pytest.raises(HelperError) as caught, refuse_death("count cells"):
        raise YosysError(printed)
    assert str(caught.value) == f"Yosys failed to count cells: {why}"


def test_what_succeeds_and_what_fails_otherwise_passes():
    with refuse_death("count cells"):
        pass
    with pytest.raises(KeyError), refuse_death("count cells"):
        raise KeyError
