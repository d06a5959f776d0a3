"""No machine is left half-running: it is refused when made, or stops where physics fails."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from golden.machine.effects import Status
from golden.machine.machine import Machine
from golden.machine.programmer import set_directly, write_verify
from hw.top.axi_chip import AxiChip
from hw.top.uart import UartChip
from ohmulator.compiler import compile_matrix, load, multiply
from spec.assembly import assemble
from spec.config import ChipConfig
from spec.errors import UserError
from spec.isa import ErrorCode, Space
from spec.physics import Physics
from tests.support.configs import FAULTS, chip, chips, faults, random_operands

UNVERIFIABLE = ChipConfig.of(
    rows=5, columns=3, cell_bits=1, slices=3, input_bits=1, dac_bits=1, adc_bits=1, adcs=3
)


def test_a_machine_that_could_not_verify_its_cells_is_refused_when_it_is_made():
    with pytest.raises(
        UserError, match=r"cannot tell the 2 levels of a cell.*: raise adc_bits to 3$"
    ):
        Machine(UNVERIFIABLE, write_verify)
    for top in (AxiChip, UartChip):
        with pytest.raises(UserError, match="cannot tell the 2 levels of a cell"):
            top(UNVERIFIABLE).elaborate(None)
    assert not Machine(UNVERIFIABLE).status.running


CONFIG = chip()


def test_nothing_leaves_a_machine_half_running():
    """Whatever physics raises in mid-instruction, the machine has stopped and can be used."""
    fails = [True]

    def programmer(analog, weights):
        if fails.pop():
            raise FloatingPointError("no such voltage")
        return set_directly(analog, weights)

    machine = Machine(CONFIG, programmer)
    program = compile_matrix(CONFIG, [[1]])
    load(machine, program)
    with pytest.raises(FloatingPointError):
        multiply(machine, program, [[1]])
    assert machine.status == Status(False, ErrorCode.ABORTED, 3)
    assert machine.read(Space.HOLDING, 0, 2).tolist() == [0, 0]
    fails.append(False)
    assert multiply(machine, program, [[1]]).tolist() == [[1]]


def test_extremes_of_every_parameter_are_tried():
    assert set(FAULTS) == set(Physics.field_names())


PROGRAM = """
        SET s0, 0
        SET s1, 16
        SET s2, 2
        MVM s1, s0, s3, s2, 0
        {transposed}
        HALT
"""


@given(chips(), faults(), st.sampled_from([set_directly, write_verify]), st.integers(0, 99))
@settings(deadline=None)
def test_what_can_be_made_runs_to_the_end_of_its_program(config, physics, programmer, seed):
    """Physics refuses a machine when it is made or never, up to the ends of all ranges."""
    try:
        config = config.replace(**physics, tiles=2, vector_words=32)
        machine = Machine(config, programmer)
    except UserError:
        assume(False)
    transposed = "MVM_T s1, s0, s3, s2, 0" if config.transposable else ""
    words = np.array(assemble(PROGRAM.format(transposed=transposed)), "<u8").view("<u4")
    weights, _ = random_operands(config, 1, seed)
    machine.write(Space.PROGRAM, 0, words)
    machine.write(Space.WEIGHT, 0, weights.ravel() % (1 << 32))
    machine.write(Space.DESCRIPTOR, 0, [*weights.shape, 0, 0])
    machine.write(Space.VECTOR, 0, np.arange(32) % 3)
    machine.run()
    assert machine.status == Status(False, ErrorCode.NONE, machine.status.pc)
