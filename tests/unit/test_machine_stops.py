"""No machine is left half-running: it is refused when made, or stops where physics fails."""

import pytest

from golden.machine.machine import Machine, Status
from golden.machine.programmer import set_directly, write_verify
from hw.top.chip import AxiChip, UartChip
from ohmulator.compiler import compile_matrix, load, multiply
from spec.config import ChipConfig
from spec.errors import UserError
from spec.isa import ErrorCode, Space
from tests.support.configs import chip

UNVERIFIABLE = ChipConfig.of(
    rows=5, columns=3, cell_bits=1, slices=3, input_bits=1, dac_bits=1, adc_bits=1, adcs=3
)


def test_a_machine_that_could_not_verify_its_cells_is_refused_when_it_is_made():
    with pytest.raises(
        UserError, match=r"cannot tell the 2 levels of a cell.*raise adc_bits or dac"
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
