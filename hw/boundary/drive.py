"""Registers from which the drive of an array leaves: mode, ADC steps and strobe."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import Mode, step_layout
from hw.common.signature import ParameterSignature
from spec.config import ChipConfig


class DrivePort(ParameterSignature):
    """Drive an array, seen from whoever does: a drive begins in the next cycle.

    Members
    -------
    begin : Out, 1
        The next cycle is the first of a drive or pulse.
    change : Out, 1
        The mode becomes `mode` and, with `begin`, the ADC steps become `step`.
    mode : Out, `Mode`
    step : Out, `step_layout`
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "begin": Out(1),
                "change": Out(1),
                "mode": Out(Mode),
                "step": Out(step_layout(config)),
            },
            config=config,
        )


class DriveRegisters(wiring.Component):
    """Let several drive an array, no two of them at a time.

    Members
    -------
    users : In, `users` x `DrivePort`
    mode : Out, `Mode`
    step : Out, `step_layout`
    strobe : Out, 1
        As in `hw.boundary.analog.AnalogPort`.
    """

    def __init__(self, config: ChipConfig, users: int):
        super().__init__(
            {
                "users": In(DrivePort(config)).array(users),
                "mode": Out(Mode),
                "step": Out(step_layout(config)),
                "strobe": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.strobe.eq(Cat(user.begin for user in self.users).any())
        for user in self.users:
            with m.If(user.change):
                m.d.sync += self.mode.eq(user.mode)
                with m.If(user.begin):
                    m.d.sync += self.step.eq(user.step)
        return m
