"""The engine of write-verify takes any code at all, without a cell behind it."""

from typing import Any

import pytest

from hw.boundary.analog import Mode
from hw.tile.write_verify import WriteVerify
from spec.config import ChipConfig
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip

VERIFY = {"rows": 2, "columns": 2, "adcs": 1, "cell_bits": 2, "dac_bits": 4, "pulse_limit": 8}
VERIFY |= {"pulse_increment": 5}


async def program(
    ctx: Any, dut: WriteVerify, level: int, code: int
) -> tuple[list[Mode], list[int], Any]:
    """Program a cell that reads one code for ever: kinds of its pulses, amplitudes, outcome."""
    ctx.set(dut.targets.payload.level, level)
    ctx.set(dut.targets.valid, 1)
    ctx.set(dut.settled, 1)
    ctx.set(dut.planes.ready, 1)
    ctx.set(dut.codes.payload.code, [code] * len(dut.codes.payload.code))
    kinds: list[Mode] = []
    amplitudes: list[int] = []
    await ctx.tick()
    ctx.set(dut.targets.valid, 0)
    while not ctx.get(dut.outcomes.valid):
        # Offered only where it is taken: the next code is another one.
        ctx.set(dut.codes.valid, ctx.get(dut.codes.ready))
        mode = Mode(ctx.get(dut.drive.mode))
        pulse = ctx.get(dut.drive.begin) and mode is not Mode.READ
        await ctx.tick()
        if pulse:
            kinds.append(mode)
            amplitudes.append(ctx.get(dut.amplitude))
    ctx.set(dut.codes.valid, 0)
    outcome = ctx.get(dut.outcomes.payload)
    ctx.set(dut.outcomes.ready, 1)
    await ctx.tick()
    ctx.set(dut.outcomes.ready, 0)
    return kinds, amplitudes, outcome


@pytest.mark.parametrize(
    "config",
    [
        # Codes as wide as they must be, and wider; read downwards, and upwards.
        chip(**VERIFY, adc_bits=6),
        chip(**VERIFY, adc_bits=9),
        chip(**VERIFY | {"dac_bits": 2}, adc_bits=7),
    ],
    ids=["narrow", "wide", "upwards"],
)
def test_every_code_is_too_low_too_high_or_right(config: ChipConfig):
    """Ends of the codes are as far from a target as any, and both sides of the tolerance."""
    dut = WriteVerify(config)
    bench = Bench(dut, 100_000)
    end = 1 << config.converter.adc_bits - 1
    tolerance, limit = config.verify_tolerance, config.programming.pulse_limit
    climb = [
        min(
            config.programming.pulse_first + i * config.programming.pulse_increment,
            (1 << config.programming.pulse_bits) - 1,
        )
        for i in range(limit)
    ]

    async def job(ctx: Any) -> None:
        for level, goal in enumerate(config.verify_targets):
            near = [goal + far for far in (-tolerance - 1, -tolerance, tolerance, tolerance + 1)]
            for code in (-end, end - 1, 0, -1, *near):
                kinds, amplitudes, outcome = await program(ctx, dut, level, code)
                right = abs(code - goal) <= tolerance
                # A negative drive makes codes that fall as cells rise.
                low = (code < goal) == (config.verify_code > 0)
                assert kinds == ([] if right else [Mode.SET if low else Mode.RESET] * limit)
                assert amplitudes == ([] if right else climb)
                got = bool(outcome.success), outcome.code, outcome.pulses
                assert got == (right, code, 0 if right else limit)

    bench.sim.add_testbench(job)
    bench.run()
