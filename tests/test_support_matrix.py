"""Every cell of the support matrix: the effect happens, and the RTL equals the model under it."""

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden.analog import Analog
from golden.config import Mapping
from golden.physics import IDEAL, Physics
from golden.tile import Tile
from sim.job import TileJob, TileOutcome
from sim.runner import Build
from tests.matrix import EFFECTS, Effect, chip, supported, table

README = Path(__file__).parent.parent / "README.md"


def analog_of(mapping: Mapping, effect: Effect) -> Analog:
    config = chip(mapping, effect.physics)
    weights = np.random.default_rng(0).integers(*config.weight_range, (8, 4), endpoint=True)
    analog = Analog.programmed(config, weights)
    effect.happens(analog.array)
    return analog


def job_of(mapping: Mapping, effect: Effect) -> TileJob:
    config = chip(mapping, effect.physics)
    vectors = np.random.default_rng(1).integers(*config.input_range, (12, 8), endpoint=True)
    return TileJob(analog_of(mapping, effect), vectors, np.zeros(config.steps, np.int64))


def without(effect: Effect) -> Effect:
    """Return the same without the non-ideality."""
    return Effect(Physics(seed=effect.physics.seed), effect.happens)


@cache
def simulated(mapping: Mapping) -> dict[str, TileOutcome]:
    """Run all effects through one build, in one simulation."""
    jobs = [job_of(mapping, effect) for effect in EFFECTS.values()]
    outcomes = Build(chip(mapping, IDEAL), "tile", "verilator").run("tests.tb_jobs", jobs)
    return dict(zip(EFFECTS, outcomes, strict=True))


@pytest.mark.parametrize(("name", "mapping"), supported("model"))
def test_in_the_model(name, mapping):
    effect = EFFECTS[name]
    job = job_of(mapping, effect)
    model = Tile(job.config, job.analog).multiply(job.vectors, job.steps)
    again = Tile(job.config, analog_of(mapping, effect)).multiply(job.vectors, job.steps)
    np.testing.assert_array_equal(model.results, again.results)
    healthy = Tile(job.config, analog_of(mapping, without(effect)))
    ideal = healthy.multiply(job.vectors, job.steps)
    assert (model.results != ideal.results).mean() > 0.1


@pytest.mark.parametrize(("name", "mapping"), supported("co-simulation"))
def test_in_co_simulation(name, mapping):
    outcome, job = simulated(mapping)[name], job_of(mapping, EFFECTS[name])
    model = Tile(job.config, job.analog).multiply(job.vectors, job.steps)
    np.testing.assert_array_equal(outcome.results, model.results)
    assert not outcome.mismatch


def test_every_parameter_of_the_physics_is_in_the_matrix():
    # What describes a healthy device, and the seed, are no faults.
    healthy = {"seed", "drift_t0_s", "pulse_threshold", "pulse_step", "headroom"}
    names = {parameter.name for parameter in dataclasses.fields(Physics)} - healthy
    used = {
        name
        for effect in EFFECTS.values()
        for name in names
        if getattr(effect.physics, name) != getattr(IDEAL, name)
    }
    assert used == names


def test_the_readme_has_the_matrix_that_is_tested():
    assert table() in README.read_text(), "update it with python -m tests.matrix"
