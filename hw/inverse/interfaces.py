"""What a tile is given to solve, and what it answers."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from hw.common.ranges import index
from spec.config import ChipConfig


def drive_layout(config: ChipConfig) -> data.ArrayLayout:
    """Return the layout of the DAC codes that drive a loop, one a row."""
    return data.ArrayLayout(signed(config.inversion.inv_dac_bits), config.array.rows)


def feedback_layout(config: ChipConfig) -> data.ArrayLayout:
    """Return the layout of the codes of the feedback conductances, one a row."""
    return data.ArrayLayout(unsigned(config.inversion.feedback_bits), config.array.rows)


def trial_layout(config: ChipConfig) -> data.ArrayLayout:
    """Return the layout of the codes of the ADCs that convert what a loop holds."""
    return data.ArrayLayout(signed(config.inversion.inv_adc_bits), config.converter.adcs)


class EquationLayout(data.StructLayout):
    """A system of equations.

    `code`, `drive_layout`, and `feedback`, `feedback_layout`; `size`, number of its unknowns, whose
    codes alone must fit; `step`, ADC step of the first conversion.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "code": drive_layout(config),
                "feedback": feedback_layout(config),
                "size": range(config.array.rows + 1),
                "step": index(config.inversion.inv_steps),
            }
        )


class AnswerLayout(data.StructLayout):
    """Answer of a loop.

    `settled`, 1 bit: the rest is arbitrary if not; `code`, `rows` x signed(inv_adc_bits); `step`,
    ADC step of the codes; `saturated`, 1 bit: an op-amp reached its saturation voltage.
    """

    def __init__(self, config: ChipConfig):
        code = signed(config.inversion.inv_adc_bits)
        super().__init__(
            {
                "settled": 1,
                "code": data.ArrayLayout(code, config.array.rows),
                "step": index(config.inversion.inv_steps),
                "saturated": 1,
            }
        )
