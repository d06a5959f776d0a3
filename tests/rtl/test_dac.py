"""Inputs as planes of DAC codes: the digits, and the sequencer that drives them."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.lib.wiring import connect
from hypothesis import given
from hypothesis import strategies as st

from golden.converter.dac import input_planes
from hw.boundary.analog import Mode
from hw.boundary.drive import DriveRegisters
from hw.boundary.synchronizer import Settling
from hw.converter.dac import DacSequencer
from spec.errors import UserError
from tests.support.amaranth_bench import Bench
from tests.support.configs import chip, chips, input_digits, random_operands


@given(chips(), st.integers(0, 2**32))
def test_planes_join_to_the_inputs(config, seed):
    _, vectors = random_operands(config, 3, seed)
    codes = input_planes(config, vectors)
    assert codes.shape == (3, config.planes, config.array.rows)
    expected = [[input_digits(config, x) for x in vector] for vector in vectors.tolist()]
    np.testing.assert_array_equal(codes.transpose(0, 2, 1), expected)
    places = 1 << np.arange(config.planes - 1, -1, -1) * config.converter.dac_bits
    np.testing.assert_array_equal(np.einsum("npr,p->nr", codes, places), vectors)


@pytest.mark.parametrize(
    "vectors, message",
    [
        ([[0, 0, 8]], r"inputs\[0, 2\] must be an integer of -8 to 7, not 8"),
        ([[0, 0, 0], [0, -9, 0]], r"inputs\[1, 1\] must be an integer of -8 to 7, not -9"),
        ([[0, 0.25, 0]], r"inputs\[0, 1\] must be an integer of -8 to 7, not 0.25"),
        ([[np.nan, 0, 0]], r"inputs\[0, 0\] must be an integer of -8 to 7, not nan"),
        ([[0, 0]], "inputs must have the shape n x 3, not 1 x 2"),
        ([0, 0, 0], "inputs must have the shape n x 3, not 3"),
        ([[0, 0, 0], [0]], "inputs must have the shape n x 3, but have lines of different lengths"),
    ],
)
def test_bad_inputs_are_refused_with_place_value_and_range(vectors, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        input_planes(chip(), vectors)


def test_no_inputs_are_no_planes():
    assert input_planes(chip(), np.empty((0, 3))).shape == (0, 2, 3)


class DrivenArray(Elaboratable):
    """A sequencer with the registers of the boundary behind it."""

    def __init__(self, config):
        self.dac, self.drive = DacSequencer(config), DriveRegisters(config, 1)
        self.settling = Settling(config)

    def elaborate(self, platform):
        m = Module()
        m.submodules.dac, m.submodules.drive = self.dac, self.drive
        m.submodules.settling = self.settling
        connect(m, self.dac.drive, self.drive.users[0])
        m.d.comb += [
            self.settling.strobe.eq(self.drive.strobe),
            self.dac.settled.eq(self.settling.done),
        ]
        return m


@pytest.mark.parametrize("settled_sync", [0, 2, 5])
@pytest.mark.parametrize("input_bits, dac_bits", [(1, 1), (4, 4), (5, 2), (6, 3), (5, 1)])
@pytest.mark.parametrize("settle", [(1,), (4,), (1, 3, 2)])
@pytest.mark.parametrize("idle, stall", [((0,), (0,)), ((0, 5), (0, 1)), ((0, 0, 9), (4,))])
@pytest.mark.parametrize("driven_mode", [Mode.MVM, Mode.MVM_T])
def test_sequencer_drives_the_planes_of_each_vector(
    input_bits, dac_bits, settle, idle, stall, driven_mode, settled_sync
):
    """Codes, flags and steps of every plane, held from the strobe to the sample."""
    config = chip(input_bits=input_bits, dac_bits=dac_bits, adc_bits=3, settled_sync=settled_sync)
    count = 4
    transposed = driven_mode is Mode.MVM_T
    _, vectors = random_operands(config, count, transposed=transposed)
    unused = [0] * (config.drive_lines - vectors.shape[1])
    steps = np.random.default_rng(1).integers(0, config.step_range[1], (count, 2), endpoint=True)
    array = DrivenArray(config)
    dut, drive = array.dac, array.drive
    bench = Bench(array, 600)
    driven, sampled_steps, strobes = [], [], []

    async def settle_and_see(ctx):
        """Settle after each strobe; see what is sampled, and that it was driven all along."""
        to_settle, present = 0, None
        waits = itertools.cycle(settle)
        async for _, _, strobe, mode, step, code, valid, ready in ctx.tick().sample(
            *(drive.strobe, drive.mode, drive.step, dut.code),
            *(dut.planes.valid, dut.planes.ready),
        ):
            if strobe:
                strobes.append(bench.now - 1)
                present = list(code)
                to_settle = next(waits)
                # Still that of the drive before, for the cycle in which it is to be ignored.
                ctx.set(array.settling.settled, 0)
            assert mode == (Mode.IDLE if present is None else driven_mode)
            assert list(code) == (present or [0] * config.drive_lines)
            if valid and ready:
                driven.append(present)
                sampled_steps.append(list(step))
                present = None
            if to_settle:
                to_settle -= 1
                ctx.set(array.settling.settled, not to_settle)

    bench.answer(settle_and_see)
    payloads = [
        {"x": x + unused, "step": s, "transposed": int(transposed)}
        for x, s in zip(vectors.tolist(), steps.tolist(), strict=True)
    ]
    starts = bench.send(dut.vectors, payloads, idle)
    taken = bench.take(dut.planes, count * config.planes, stall)
    bench.run()

    planes = input_planes(config, vectors, transposed=transposed).reshape(-1, vectors.shape[1])
    assert driven == [plane + unused for plane in planes.tolist()]
    for i, (_, plane) in enumerate(taken):
        assert plane.first == (i % config.planes == 0)
        assert plane.last == (i % config.planes == config.planes - 1)
        assert plane.transposed == transposed
        assert sampled_steps[i] == steps[i // config.planes].tolist()
    # The strobe follows the vector or the sample before; the offer follows the settling.
    waits = itertools.cycle(settle)
    assert strobes[:: config.planes] == [cycle + 1 for cycle in starts]
    assert [came for came, _ in taken] == [
        strobe + wait + settled_sync for strobe, wait in zip(strobes, waits, strict=False)
    ]
