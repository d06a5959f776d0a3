"""The parameters of the physics: ranges, files, identity."""

import math

import pytest

from spec.config import ChipConfig
from spec.errors import UserError
from spec.load import load
from spec.physics import IDEAL, WIRES, Physics

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


# Range and default of each parameter.
PARAMETERS = {
    **dict.fromkeys(["program_error", "relaxation"], (0.0, 10.0, 0.0)),
    "read_noise": (0.0, 1.0, 0.0),
    "drift": (-1.0, 1.0, 0.0),
    "drift_spread": (0.0, 1.0, 0.0),
    "drift_t0_s": (1e-9, 1e9, 1.0),
    **dict.fromkeys(["stuck_low", "stuck_high", "stuck_any"], (0.0, 1.0, 0.0)),
    "nonlinearity": (0.0, 100.0, 0.0),
    "pulse_threshold": (0, 1 << 16, 3),
    "pulse_step": (1e-9, 10.0, 0.02),
    "headroom": (0.0, 3.0, 0.1),
    **dict.fromkeys(["pulse_device_spread", "pulse_cycle_spread"], (0.0, 3.0, 0.0)),
    **{f"r_{part}_ohm": (0.0, 1e9, 0.0) for part in ("word", "bit", "driver", "sense")},
    **{
        f"{s}_{name}": (0.0, 100.0, 0.0)
        for s in ("dac", "adc")
        for name in ("offset", "inl", "dnl")
    },
    **dict.fromkeys(["dac_gain", "adc_gain"], (0.0, 0.2, 0.0)),
    "dac_noise": (0.0, 100.0, 0.0),
    "sense_noise": (0.0, 1e12, 0.0),
    "loop_program_error": (0.0, 10.0, 0.0),
    "open_loop_gain": (10.0, 1e12, 1e5),
    "gain_bandwidth_hz": (1.0, 1e12, 500e6),
    "node_f": (1e-18, 1e-6, 0.1e-12),
    "inverter_hz": (0.0, 1e12, 0.0),
    "output_ohm": (0.0, 1e6, 0.0),
    "saturation_v": (1e-3, 100.0, 1.0),
    "amplifier_offset_v": (0.0, 1.0, 0.0),
    "amplifier_noise_v": (0.0, 1.0, 0.0),
    "seed": (0, (1 << 63) - 1, 0),
}


def test_by_default_nothing_errs():
    assert {*Physics.field_names()} == {*PARAMETERS}
    for name, (_, _, default) in PARAMETERS.items():
        assert IDEAL.value(name) == default
    assert not IDEAL.wires.resistive


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_reach_from_end_to_end_of_their_range(name):
    low, high, default = PARAMETERS[name]
    assert Physics.of(**{name: low}).value(name) == low
    assert Physics.of(**{name: high}).value(name) == high
    whole = isinstance(default, int)
    beyond = (low - 1, high + 1) if whole else (math.nextafter(low, -2), math.nextafter(high, 1e13))
    for value in beyond:
        kind = "an integer" if whole else "a number"
        with pytest.raises(UserError, match=f"^{name} must be {kind} of {low:.13g} to "):
            Physics.of(**{name: value})


@pytest.mark.parametrize("name", WIRES)
def test_any_resistance_makes_wires_resistive(name):
    assert Physics.of(**{name: 1e-3}).wires.resistive


@pytest.mark.parametrize("name", Physics.field_names())
@pytest.mark.parametrize("value", [-2, math.nan, math.inf, "1", True])
def test_what_no_parameter_can_be_is_refused_by_name(name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*not "):
        Physics.of(**{name: value})


def test_stuck_cells_are_at_most_all_cells():
    Physics.of(stuck_low=0.5, stuck_any=0.5)
    with pytest.raises(UserError, match=r"together must be at most 1, not 1.2"):
        Physics.of(stuck_low=0.6, stuck_high=0.6)


def test_a_device_whose_cells_exceed_what_sums_hold_is_refused():
    Physics.of(headroom=3.0)
    with pytest.raises(UserError, match=r"headroom must be a number of 0 to 3 .*, not 4.0"):
        Physics.of(headroom=4.0)


def test_wires_that_isolate_the_array_are_refused():
    with pytest.raises(UserError, match=r"r_bit_ohm of 30000 ohm isolates .* at most 28571"):
        ChipConfig.of(**CHIP, physics=Physics.of(r_bit_ohm=30e3))


def test_curves_too_steep_are_refused():
    with pytest.raises(UserError, match=r"nonlinearity .* at most 50 per volt"):
        ChipConfig.of(**CHIP, v_read_v=0.4, physics=Physics.of(nonlinearity=60))


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
        ChipConfig.of(**CHIP, **change)


def test_only_the_whole_hash_speaks_of_the_physics():
    ideal = ChipConfig.of(**CHIP)
    assert ideal.physics == IDEAL
    chips = [ideal.replace(seed=s, read_noise=n) for s in (0, 1) for n in (0.0, 0.1)]
    assert {chip.hardware for chip in chips} == {ideal.hardware}
    assert len({chip.whole for chip in chips}) == 4


def test_a_file_has_its_physics_in_a_table(tmp_path):
    path = tmp_path / "chip.toml"
    keys = (
        "[array]\nrows = 8\ncolumns = 8\ncell_bits = 3\nslices = 1\n"
        "[converter]\ninput_bits = 4\ndac_bits = 4\nadc_bits = 8\nadcs = 8\n"
    )
    path.write_text(keys + "[physics]\nseed = 3\n[physics.cells]\nread_noise = 0.02\n")
    assert load(path).physics == Physics.of(seed=3, read_noise=0.02)
    assert load(path, physics=IDEAL).physics == IDEAL
    for table, words in [
        ("[physics.cells]\nread_nose = 1\n", r"'read_nose' in \[physics.cells\].*'read_noise'"),
        ("[physics.cells]\nread_noise = -0.1\n", "chip.toml: read_noise must be"),
        ("[physics]\ncells = 3\n", r"must be a table \[physics.cells\], not 3"),
    ]:
        path.write_text(keys + table)
        with pytest.raises(UserError, match=words):
            load(path)


def test_the_published_preset_has_its_published_wires():
    physics = load("pku2025").physics
    assert physics.wires.r_word_ohm == physics.wires.r_bit_ohm == 1.73
