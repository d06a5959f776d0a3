"""The parameters of the physics: ranges, files, identity."""

import dataclasses
import math

import pytest

from spec.config import ChipConfig, load
from spec.errors import UserError
from spec.physics import IDEAL, Physics

CHIP = {
    "rows": 8,
    "columns": 8,
    "cell_bits": 3,
    "slices": 1,
    "input_bits": 4,
    "dac_bits": 4,
    "adc_bits": 8,
    "adcs": 8,
}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Physics)])
@pytest.mark.parametrize("value", [-2, math.nan, math.inf, "1", True])
def test_what_no_parameter_can_be_is_refused_by_name(name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*not "):
        Physics(**{name: value})


def test_stuck_cells_are_at_most_all_cells():
    Physics(stuck_low=0.5, stuck_any=0.5)
    with pytest.raises(UserError, match=r"together must be at most 1, not 1.2"):
        Physics(stuck_low=0.6, stuck_high=0.6)


def test_a_device_whose_cells_exceed_what_sums_hold_is_refused():
    Physics(headroom=3.0)
    with pytest.raises(UserError, match=r"headroom must be a number of 0 to 3 .*, not 4.0"):
        Physics(headroom=4.0)


def test_wires_that_isolate_the_array_are_refused():
    with pytest.raises(UserError, match=r"r_bit_ohm of 30000 ohm isolates .* at most 28571"):
        ChipConfig(**CHIP, physics=Physics(r_bit_ohm=30e3))


def test_curves_too_steep_are_refused():
    with pytest.raises(UserError, match=r"nonlinearity .* at most 50 per volt"):
        ChipConfig(**CHIP, v_read_v=0.4, physics=Physics(nonlinearity=60))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"g_min_s": -1e-6}, "g_min_s must be"),
        ({"g_max_s": 0.0}, "g_max_s must be"),
        ({"g_min_s": 35e-6}, "g_min_s must be below g_max_s"),
        ({"physics": {"seed": 1}}, "physics must be a Physics"),
    ],
)
def test_ranges_of_conductance_are_checked(change, words):
    with pytest.raises(UserError, match=words):
        ChipConfig(**CHIP, **change)


def test_only_the_physics_hash_speaks_of_the_physics():
    ideal = ChipConfig(**CHIP)
    real = ChipConfig(**CHIP, physics=Physics(read_noise=0.1))
    assert ideal.physics == IDEAL and ideal.hash == real.hash
    hashes = {Physics(seed=s, read_noise=n).hash for s in (0, 1) for n in (0.0, 0.1)}
    assert len(hashes) == 4 and Physics(seed=1).hash in hashes


def test_a_file_has_its_physics_in_a_table(tmp_path):
    path = tmp_path / "chip.toml"
    keys = "".join(f"{key} = {value}\n" for key, value in CHIP.items())
    path.write_text(keys + "[physics]\nseed = 3\nread_noise = 0.02\n")
    assert load(path).physics == Physics(seed=3, read_noise=0.02)
    assert load(path, physics=IDEAL).physics == IDEAL
    for table, words in [
        ("[physics]\nread_nose = 0.1\n", r"'read_nose' in \[physics\].*mean 'read_noise'"),
        ("[physics]\nread_noise = -0.1\n", "chip.toml: read_noise must be"),
        ("physics = 3\n", "physics .* must be a table"),
    ]:
        path.write_text(keys + table)
        with pytest.raises(UserError, match=words):
            load(path)


def test_the_published_preset_has_its_published_wires():
    physics = load("pku2025").physics
    assert physics.r_word_ohm == physics.r_bit_ohm == 1.73
