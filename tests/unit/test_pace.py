"""The slowest sets the pace of a product, and a warning says so."""

import pytest

from ohmulator.jobs import verilog
from spec.load import load
from spec.pace import conversion_share, pace_warning
from tests.support.configs import SMALL, toml


@pytest.mark.parametrize(
    "name, tiles, lanes, share",
    [
        ("digits", 1, 4, 16 / 18),
        ("digits", 4, 4, 16 / 66),
        ("isaac", 4, 4, 1),
        ("digits", 4, 32, 1),
    ],
)
def test_share_of_the_time_in_which_tiles_convert(name, tiles, lanes, share):
    assert conversion_share(load(name, tiles=tiles, lanes=lanes)) == pytest.approx(share)


def test_advice_is_the_least_that_cures():
    config = load("digits")
    assert pace_warning(config) == (
        "4 tiles convert 24% of the time, for the vector memory moves lanes=4 words a cycle: "
        "lanes=32 or more let the tiles set the pace"
    )
    assert pace_warning(config.replace(lanes=16))
    assert not pace_warning(config.replace(lanes=32))


@pytest.mark.parametrize("fields", [{"tiles": 64}, {"vector_words": 16}])
def test_no_advice_that_cannot_be_followed(fields):
    warning = pace_warning(load("digits", **fields))
    assert warning.endswith("no number of lanes lets the tiles set the pace")


@pytest.mark.slow
def test_a_chip_is_exported_with_the_warning(tmp_path, capsys):
    small = tmp_path / "small.toml"
    small.write_text(
        toml(SMALL | {"tiles": 2, "lanes": 1, "adcs": 4, "adc_bits": 4, "settle_s": 0.0})
    )
    argv = ["--config", str(small), "--top", "chip", "--out", str(tmp_path / "chip.v")]
    assert verilog.main(argv) == 0
    assert "warning: 2 tiles convert" in capsys.readouterr().out
