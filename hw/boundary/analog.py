"""The boundary between the periphery and whatever stands for the array.

Behind it is the NumPy physics in co-simulation, a synthesizable emulator on an FPGA, or the pins
of the macro in an ASIC. The periphery does not know which.
"""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from hw.common.ranges import index
from hw.common.signature import ParameterSignature
from hw.inverse.interfaces import drive_layout, feedback_layout, trial_layout
from spec.config import ChipConfig


class Mode(enum.Enum, shape=3):  # type: ignore[call-arg]
    """Task of the array."""

    IDLE = 0
    """No line is driven."""
    MVM = 1
    """Word lines are driven with DAC codes; bit lines are sensed."""
    MVM_T = 2
    """Columns are driven, the positive line with the DAC code and the negative one with its
    opposite; word lines are sensed. Never with the offset mapping."""
    READ = 3
    """One cell alone conducts, its word line driven with `ChipConfig.verify_code`."""
    SET = 4
    """One cell gets a write pulse that raises its conductance."""
    RESET = 5
    """One cell gets a write pulse that lowers its conductance."""
    INV = 6
    """The array of the top slice is closed to a loop, from outputs of zero, and driven with the DAC
    codes of a system. Only where tiles are invertible."""


PRODUCT_MODES = Mode.MVM, Mode.MVM_T
"""Modes in which a product is made."""


class CellLayout(data.StructLayout):
    """A cell, named as the periphery selects it; see `golden.tile.write_verify.Targets`."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "slice": index(config.array.slices),
                "row": index(config.array.rows),
                "adc": index(config.converter.adcs),
                "group": config.select_bits,
                "side": 1,
            }
        )


def step_layout(config: ChipConfig) -> data.ArrayLayout:
    """Return the layout of the ADC steps: log2 in units, one a slice, then the unit column's."""
    return data.ArrayLayout(unsigned(config.step_bits), config.steps)


def code_layout(config: ChipConfig) -> data.ArrayLayout:
    """Return the layout of ADC codes: those of slice 0, slice 1, ..., then the unit column's."""
    return data.ArrayLayout(signed(config.converter.adc_bits), config.converters)


class AnalogPort(ParameterSignature):
    """Signals of one tile, seen from the periphery. All outputs leave from flip-flops.

    `trial` and `above` are there if the periphery searches, `convert` and `found` if the ADCs
    search by themselves, see `conversion_s`. The members from `amplify` on are there if the tile is
    `invertible`; the loop senses and converts the voltages at its columns. Where `settled_sync` or
    `comparator_sync` is not 0, an input may change at any time.

    Members
    -------
    mode : Out, `Mode`
        Changes together with the codes.
    code : Out, `drive_lines` x signed(code_bits)
        DAC codes, element i that of word line i or, in MVM_T, column i.
    cell : Out, `CellLayout`
        Cell that is read or pulsed.
    amplitude : Out, unsigned(pulse_bits)
        Height of a write pulse, as a DAC code.
    strobe : Out, 1
        High in the first cycle of every new drive or write pulse.
    step : Out, `steps` x unsigned(step_bits)
        Step of the ADCs of each slice, and of the unit column's, as log2 in units. Belongs to the
        drive, and goes with its values when they are sampled.
    settled : In, 1
        By the end of this cycle the array will have settled for the present drive, or the pulse
        will be over. Ignored while `strobe` is high; from the next cycle on it must speak of the
        new drive, and once high it stays so.
    sample : Out, 1
        The sensed values are frozen at the end of this cycle, with their `step`, and the next drive
        begins.
    select : Out, unsigned(select_bits)
        Number of the column, or word line in MVM_T, that each ADC converts, among those it serves.
    trial : Out, `converters` x signed(adc_bits)
        Trial code of each ADC: those of slice 0, slice 1, ..., then that of the unit column.
    above : In, `converters` bits
        The held value of this ADC is at or above the threshold of its trial code; answers `select`
        and `trial` by the end of the `comparison_cycles`-th cycle in which they stand.
    convert : Out, 1
        High in the first cycle of every conversion.
    found : In, `converters` x signed(adc_bits)
        Code of the held value of each ADC; answers `select` by the end of the cycle
        `decision_cycles` - 1 after `convert`, and stays until the next.
    beyond : In, `converters` bits
        The held value lies outside of the ADC's range; answers `select` as `above` or `found` does.
    amplify : Out, 1
        The op-amps of the loop are on: from a cycle before the strobe of INV to its sample.
    inv_code : Out, `rows` x signed(inv_dac_bits)
        DAC codes of a system, element i that of row i; the lowest code is never driven.
    feedback : Out, `rows` x unsigned(feedback_bits)
        Codes of the feedback conductances. They stand with `inv_code` from before `amplify` on.
    inv_sample : Out, 1
        The outputs of the loop are frozen at the end of this cycle, and the loop opens.
    inv_select : Out, unsigned(select_bits)
        Number of the column that each ADC converts, among those it serves.
    inv_step : Out, `index(inv_steps)`
        Step of all ADCs, as log2 of the units of `golden.inverse.inversion`; belongs to the trial.
    inv_trial : Out, `adcs` x signed(inv_adc_bits)
        Trial code of each ADC of the top slice.
    inv_above : In, `adcs` bits
        As `above`; answers `inv_select`, `inv_step` and `inv_trial`.
    inv_beyond : In, `adcs` bits
        As `beyond`; answers `inv_select` and `inv_step` as `inv_above` does.
    saturated : In, 1
        An op-amp reached its saturation voltage before the sample; stands until the next sample
        from the end of the `comparison_cycles`-th cycle after it on.
    """

    def __init__(self, config: ChipConfig):
        search: dict[str, wiring.Member] = {
            "trial": Out(code_layout(config)),
            "above": In(config.converters),
        }
        conversion = {"convert": Out(1), "found": In(code_layout(config))}
        loop: dict[str, wiring.Member] = {
            "amplify": Out(1),
            "inv_code": Out(drive_layout(config)),
            "feedback": Out(feedback_layout(config)),
            "inv_sample": Out(1),
            "inv_select": Out(config.select_bits),
            "inv_step": Out(index(config.inversion.inv_steps)),
            "inv_trial": Out(trial_layout(config)),
            "inv_above": In(config.converter.adcs),
            "inv_beyond": In(config.converter.adcs),
            "saturated": In(1),
        }
        super().__init__(
            {
                "mode": Out(Mode),
                "code": Out(data.ArrayLayout(signed(config.code_bits), config.drive_lines)),
                "cell": Out(CellLayout(config)),
                "amplitude": Out(config.programming.pulse_bits),
                "strobe": Out(1),
                "step": Out(step_layout(config)),
                "settled": In(1),
                "sample": Out(1),
                "select": Out(config.select_bits),
                **(search if config.converter.searching else conversion),
                "beyond": In(config.converters),
                **(loop if config.machine.invertible else {}),
            },
            config=config,
        )
