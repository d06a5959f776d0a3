"""Conversion: the model against integers, the RTL against the model, stalls and latency."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.converter.adc import Adcs
from golden.tile.analog import Analog
from hw.converter.adc import SarBank
from tests.support.amaranth_bench import Bench, Comparators
from tests.support.configs import Expected, chip, chips, convert


@pytest.mark.parametrize("bits", [1, 2, 5, 8])
@pytest.mark.parametrize("step", [0, 1, 3])
def test_every_sum_converts_as_integers_do(bits, step):
    """Sums well beyond the range, each off by what a real array adds."""
    config = chip(adc_bits=bits)
    reach = 2 ** (bits + step)
    sums = np.arange(-reach, reach + 1)
    adcs = Adcs(config.converter.adc_bits, np.array(step))
    for error in (0, -0.49, 0.49):
        codes = adcs.convert(sums + error)
        beyond = adcs.beyond(sums + error)
        for units, code, out in zip(sums.tolist(), codes.tolist(), beyond.tolist(), strict=True):
            tally = Expected([])
            assert code == convert(config, units, step, tally)
            assert out == bool(tally.clips_high or tally.clips_low)


@given(
    st.integers(1, 16),
    st.integers(0, 20),
    st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=20),
)
def test_conversion_is_what_the_comparisons_say(bits, step, held):
    """A code is the highest whose threshold is reached, wherever a value lies."""
    adcs = Adcs(bits, np.array(step))
    held = np.array(held)
    # Values on a threshold as well, and just below.
    held = np.concatenate([held, adcs.threshold(np.round(held))])
    held = np.concatenate([held, np.nextafter(held, -np.inf)])
    codes = adcs.convert(held)
    assert adcs.low <= codes.min() and codes.max() <= adcs.high
    assert (adcs.above(held, codes) | (codes == adcs.low)).all()
    assert (~adcs.above(held, codes + 1) | (codes == adcs.high)).all()
    np.testing.assert_array_equal(
        adcs.beyond(held), ~adcs.above(held, adcs.low) | adcs.above(held, adcs.high + 1)
    )


ADCS: dict[str, dict[str, Any]] = {
    "1 bit": {"adc_bits": 1},
    "2 bits": {"adc_bits": 2},
    "5 bits": {"adc_bits": 5},
    "1 bit, two cycles a comparison": {"adc_bits": 1, "comparison_cycles": 2},
    "3 bits, synchronised": {"adc_bits": 3, "comparator_sync": 2},
    "2 bits, slow and synchronised": {"adc_bits": 2, "comparison_cycles": 4, "comparator_sync": 3},
    "5 bits within a cycle": {"adc_bits": 5, "conversion_s": 1e-9},
    "5 bits within two cycles": {"adc_bits": 5, "conversion_s": 20e-9},
    "1 bit within seven cycles": {"adc_bits": 1, "conversion_s": 61e-9},
}


@pytest.mark.parametrize("adc", ADCS)
@pytest.mark.parametrize("adcs, mapping", [(4, "differential"), (1, "differential"), (2, "offset")])
@pytest.mark.parametrize("idle, stall", [((0,), (0,)), ((0, 7), (3,)), ((0,), (0, 1, 9))])
def test_conversions_find_what_the_model_does(adc, adcs, mapping, idle, stall):
    config = chip(**ADCS[adc], adcs=adcs, mapping=mapping)
    adc_bits, cycles = config.converter.adc_bits, config.conversion_cycles
    analog = Analog.ideal(config, np.zeros((config.array.rows, config.array.columns)))
    rng = np.random.default_rng(adc_bits)
    count = 5
    spread = 2.0 ** (adc_bits + 1)
    held = rng.normal(0, spread, (count, config.converters, config.forward.groups))
    steps = rng.integers(0, 1, (count, config.steps), endpoint=True)
    dut = SarBank(config)
    bench = Bench(dut, 3000)
    samples: list[int] = []

    async def comparators(ctx):
        answers = Comparators(dut, analog)
        async for _, _, sample in ctx.tick().sample(dut.sample):
            if sample:
                samples.append(bench.now - 1)
            at = max(0, len(samples) - 1)
            answers.answer(ctx, held[at], steps[at])
            # Steps of the plane that is offered.
            ctx.set(dut.step, steps[min(len(samples), count - 1)].tolist())

    bench.answer(comparators)
    planes = [{"first": i == 0, "last": i == 3} for i in range(count)]
    transfers = bench.send(dut.planes, planes, idle)
    taken = bench.take(dut.codes, count * config.forward.groups, stall)
    bench.run()

    expected = analog.adcs(steps)
    codes = expected.convert(held[:, None])[:, 0]
    beyond = expected.beyond(held[:, None])[:, 0]
    assert samples == transfers
    for i, (_, found) in enumerate(taken):
        plane, group = divmod(i, config.forward.groups)
        assert found.group == group
        assert list(found.code) == codes[plane, :, group].tolist()
        assert [bool(found.beyond >> j & 1) for j in range(config.converters)] == (
            beyond[plane, :, group].tolist()
        )
        assert (found.plane.first, found.plane.last) == (plane == 0, plane == 3)
        assert list(found.step) == steps[plane].tolist()

    if stall == (0,):
        # The next conversion follows without a gap.
        came = [cycle for cycle, _ in taken]
        for i, cycle in enumerate(came):
            plane, group = divmod(i, config.forward.groups)
            assert cycle == samples[plane] + (group + 1) * cycles + 1
        if idle == (0,):
            gap = int(cycles == 1)
            assert set(np.diff(samples)) == {config.forward.groups * cycles + gap}


@given(chips())
def test_default_step_clips_no_exact_sum(config):
    covering = max(direction.covering_step for direction in config.directions)
    adcs = Adcs(config.converter.adc_bits, np.array(covering))
    assert not adcs.beyond(np.array(config.sum_range, float)).any()
