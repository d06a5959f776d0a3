"""Defaults are taken where nothing is said: a change of a default changes what users get."""

import inspect

import pytest

from golden.array.circuit import check_resistances
from golden.array.wires import solve_nonlinear
from golden.converter.linearity import code_density, enob, ramp
from golden.machine.machine import Machine
from golden.tile.calibrate import calibrate
from ohmulator.compiler.matrix import compile_matrix
from ohmulator.host import Host, ModelCarrier
from spec.instruction import Instruction
from spec.tables import ArrayConfig, ConverterConfig, MachineConfig, Mapping, ProgrammingConfig

DEFAULTS = {
    check_resistances: {"r_word": 0.0, "r_bit": 0.0, "r_driver": 0.0, "r_sense": 0.0},
    solve_nonlinear: {"tolerance": 1e-10, "iterations": 100},
    ramp: {"samples": 32, "margin": 8.0},
    code_density: {"samples": 65536, "margin": 8.0},
    enob: {"samples": 4096},
    calibrate: {"percentile": 100.0},
    Machine.start: {"pc": 0},
    Machine.run: {"pc": 0},
    ModelCarrier: {"instructions": 10_000},
    Host: {"timeout_s": 1.0, "retries": 4},
    Host.start: {"pc": 0},
    Host.run: {"pc": 0, "timeout_s": None},
    compile_matrix: {"shift": 0, "matrix": 0, "tile": 0, "address": 0, "start": 0},
    Instruction: dict.fromkeys(["d", "a", "b", "c", "n", "immediate"], 0),
    ArrayConfig: {
        "mapping": Mapping.DIFFERENTIAL,
        "g_min_s": 0.5e-6,
        "g_max_s": 35e-6,
        "settle_s": 60e-9,
        "settled_sync": 0,
    },
    ConverterConfig: {
        "accumulator_bits": 0,
        "v_read_v": 0.2,
        "comparison_cycles": 1,
        "comparator_sync": 0,
        "conversion_s": 0.0,
    },
    ProgrammingConfig: {
        "pulse_bits": 5,
        "pulse_first": 4,
        "pulse_increment": 2,
        "pulse_limit": 30,
        "pulse_s": 50e-9,
    },
    MachineConfig: {
        "clock_hz": 100e6,
        "tiles": 4,
        "lanes": 4,
        "vector_words": 4096,
        "program_words": 1024,
        "weight_words": 65536,
        "matrices": 16,
    },
}


@pytest.mark.parametrize("function", DEFAULTS, ids=lambda function: function.__qualname__)
def test_defaults_are_these(function):
    parameters = inspect.signature(function).parameters.values()
    given = {each.name: each.default for each in parameters if each.default is not each.empty}
    for name, value in DEFAULTS[function].items():
        assert given.pop(name) == value
    # All others are flags, which are not set.
    assert all(value is False for value in given.values())
