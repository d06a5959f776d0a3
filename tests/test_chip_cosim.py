"""The whole chip in RTL, in lockstep with the model."""

from golden.config import load
from golden.isa import ErrorCode, Opcode
from sim.runner import Build
from sim.tb_chip import ChipJob
from tests import chip_sessions

SMALL = load(
    "digits",
    rows=3,
    columns=2,
    adcs=1,
    tiles=3,
    lanes=2,
    slices=1,
    vector_words=128,
    program_words=64,
    weight_words=256,
    matrices=2,
    pulse_first=8,
    pulse_limit=6,
)


def run(config, session, argument=None, simulator="verilator"):
    job = ChipJob(config, session, argument)
    return Build(config, "chip_traced", simulator).run("sim.tb_chip", job)


def test_random_programs():
    report, total, opcodes, codes = run(SMALL, chip_sessions.random_programs, 60)
    assert report == ""
    assert total >= 2000
    assert opcodes == set(Opcode)
    assert {code for code in ErrorCode if code < ErrorCode.ABORTED} - codes == set()


def test_random_programs_under_icarus():
    report, total, _, _ = run(SMALL, chip_sessions.random_programs, 3, "icarus")
    assert report == ""
    assert total >= 60
