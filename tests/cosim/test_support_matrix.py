"""Every cell of the support matrix: the effect happens, and the RTL equals the model under it."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from sim.job import TileJob, TileOutcome
from sim.runner import Build
from spec.amplifiers import AmplifierPhysics
from spec.physics import IDEAL, Physics
from spec.tables import Mapping
from tests.support.support_matrix import EFFECTS, Effect, chip, supported, table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "support.md"


def analog_of(mapping: Mapping, effect: Effect) -> Analog:
    config = chip(mapping, effect.physics)
    weights = np.random.default_rng(0).integers(*config.weight_range, (8, 4), endpoint=True)
    analog = Analog.programmed(config, weights)
    effect.happens(analog.array)
    return analog


def job_of(mapping: Mapping, effect: Effect, transposed: bool) -> TileJob:
    config = chip(mapping, effect.physics)
    shape = 12, config.direction(transposed).inputs
    vectors = np.random.default_rng(1).integers(*config.input_range, shape, endpoint=True)
    steps = np.zeros(config.steps, np.int64)
    return TileJob(analog_of(mapping, effect), vectors, steps, transposed)


def cases(mode: str) -> list[tuple[str, Mapping, bool]]:
    """Return what is supported in a mode, in every direction that there is."""
    return [
        (name, mapping, transposed)
        for name, mapping in supported(mode)
        for transposed in (False, True)[: len(chip(mapping, IDEAL).directions)]
    ]


def without(effect: Effect) -> Effect:
    """Return the same without the non-ideality."""
    return Effect(Physics.of(seed=effect.physics.seed), effect.happens)


@cache
def simulated(mapping: Mapping) -> dict[tuple[str, bool], TileOutcome]:
    """Run all effects through one build, in one simulation."""
    jobs = {
        (name, transposed): job_of(mapping, EFFECTS[name], transposed)
        for name, of, transposed in cases("co-simulation")
        if of is mapping
    }
    build = Build(chip(mapping, IDEAL), "tile", "verilator")
    return dict(zip(jobs, build.run("tests.support.tb_jobs", list(jobs.values())), strict=True))


def on_model(job: TileJob, analog: Analog) -> np.ndarray:
    tile = Tile(job.config, analog)
    return tile.multiply(job.vectors, job.steps, transposed=job.transposed).results


@pytest.mark.parametrize(("name", "mapping", "transposed"), cases("model"))
def test_in_the_model(name, mapping, transposed):
    effect = EFFECTS[name]
    job = job_of(mapping, effect, transposed)
    results = on_model(job, job.analog)
    np.testing.assert_array_equal(results, on_model(job, analog_of(mapping, effect)))
    ideal = on_model(job, analog_of(mapping, without(effect)))
    assert (results != ideal).mean() > 0.1


@pytest.mark.parametrize(("name", "mapping", "transposed"), cases("co-simulation"))
def test_in_co_simulation(name, mapping, transposed):
    outcome = simulated(mapping)[name, transposed]
    job = job_of(mapping, EFFECTS[name], transposed)
    np.testing.assert_array_equal(outcome.results, on_model(job, job.analog))
    assert not outcome.mismatch


def test_every_parameter_of_the_physics_is_in_the_matrix():
    # What describes a healthy device, and the seed, are no faults.
    healthy = {"seed", "drift_t0_s", "pulse_threshold", "pulse_step", "headroom"}
    # Products do not pass the op-amps of a loop.
    loop = {"loop_program_error", *AmplifierPhysics.field_names()}
    names = set(Physics.field_names()) - healthy - loop
    used = {
        name
        for effect in EFFECTS.values()
        for name in names
        if effect.physics.value(name) != IDEAL.value(name)
    }
    assert used == names


def test_the_page_has_the_matrix_that_is_tested():
    assert table() in PAGE.read_text(encoding="utf-8"), (
        "update it with python -m tests.support.support_matrix"
    )
