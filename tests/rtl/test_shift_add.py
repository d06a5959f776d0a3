"""Results of codes: the model against Python's integers, the RTL against the model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.tile.shift_add import accumulate, slice_sums
from hw.tile.shift_add import ShiftAdd
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip, chips


def random_codes(config, count, seed=0):
    """Return codes [count, planes, converters, groups] and steps, all at either end to begin."""
    rng = np.random.default_rng(seed)
    low, high = -(1 << config.converter.adc_bits - 1), (1 << config.converter.adc_bits - 1) - 1
    shape = (count, config.planes, config.converters, config.forward.groups)
    codes = rng.integers(low, high, shape, endpoint=True)
    codes[0], codes[1] = low, high
    steps = rng.integers(*config.step_range, (count, config.steps), endpoint=True)
    steps[:2] = config.step_range[1]
    if config.unit_columns:
        codes[0, :, -1], codes[1, :, -1] = high, low
    return codes, steps


def plain(config, codes, steps):
    """Return results and saturations of one product, with Python's integers."""
    end = 2 ** (config.result_bits - 1)
    results, saturations = [], 0
    for column in range(config.array.columns):
        adc, group = divmod(column, config.forward.groups)
        total = 0
        for plane in codes.tolist():
            total *= 2**config.converter.dac_bits
            for s in range(config.array.slices):
                code = plane[s * config.converter.adcs + adc][group]
                total += code * 2 ** (int(steps[s]) + s * config.array.cell_bits)
            if config.array.mapping == "offset":
                half = 2 ** (config.array.cell_bits * config.array.slices - 1)
                total -= half * plane[-1][group] * 2 ** int(steps[-1])
            saturations += not -end <= total < end
            total = max(-end, min(total, end - 1))
        results.append(total)
    return results, saturations


@given(chips(), st.integers(0, 2**32))
def test_model_sums_as_integers_do(config, seed):
    codes, steps = random_codes(config, 4, seed)
    results, saturations = accumulate(config, slice_sums(config, codes, steps))
    for i in range(len(codes)):
        assert (results[i].tolist(), saturations[i]) == plain(config, codes[i], steps[i])


WIDEST = {"cell_bits": 2, "slices": 8, "input_bits": 18, "dac_bits": 3, "rows": 16, "adc_bits": 7}
"""Results of 59 bits, of which an end is reached with every code at its end."""


@pytest.mark.parametrize(
    "fields",
    [
        {"adcs": 4},
        {"adcs": 1, "mapping": "offset"},
        {"adcs": 2, "slices": 3, "input_bits": 5, "adc_bits": 4},
        {"adcs": 2, "input_bits": 4, "dac_bits": 4, "adc_bits": 3, "slices": 1},
        {"adcs": 2, "mapping": "offset", "accumulator_bits": 9, "adc_bits": 5},
        {"adcs": 4, "accumulator_bits": 7, "dac_bits": 1},
        WIDEST,
        WIDEST | {"mapping": "offset", "adcs": 1},
    ],
)
@pytest.mark.parametrize("idle, stall", [((0,), (0,)), ((0, 3), (0, 0, 5)), ((0,), (4,))])
def test_rtl_sums_as_the_model(fields, idle, stall):
    config = chip(**fields)
    count = 4
    codes, steps = random_codes(config, count)
    dut = ShiftAdd(config)
    bench = Bench(dut, 3000)
    saturations = 0

    async def tally(ctx):
        nonlocal saturations
        async for _, _, saturated in ctx.tick().sample(dut.saturated):
            saturations += saturated.bit_count()

    bench.answer(tally)
    payloads = [
        {
            "code": codes[i, p, :, g].tolist(),
            "beyond": 0,
            "group": g,
            "plane": {"first": p == 0, "last": p == config.planes - 1},
            "step": steps[i].tolist(),
        }
        for i in range(count)
        for p in range(config.planes)
        for g in range(config.forward.groups)
    ]
    sent = bench.send(dut.codes, payloads, idle)
    taken = bench.take(dut.results, count * config.forward.groups, stall)
    bench.run()

    expected, clamped = accumulate(config, slice_sums(config, codes, steps))
    for i, (_, result) in enumerate(taken):
        product, group = divmod(i, config.forward.groups)
        assert result.group == group
        assert list(result.sums) == expected[product, group :: config.forward.groups].tolist()
    assert saturations == clamped.sum()
    assert (clamped.sum() > 0) == (config.converter.accumulator_bits > 0)
    if stall == (0,):
        last = [c for c, p in zip(sent, payloads, strict=True) if p["plane"]["last"]]
        assert {came - cycle for (came, _), cycle in zip(taken, last, strict=True)} == {1}
        if idle == (0,):
            assert set(np.diff(sent)) == {1}
