"""Answer the loop of a simulated tile from the physics of the model, for `sim.bridge.Bridge`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from sim.packing import unpack
from sim.signals import bits_of, read_bits, read_flag, read_text, write_bits, write_flag

NEVER = -1
"""Cycles until a loop settles that does not."""


class LoopBridge:
    """Answer those members of an `AnalogPort` that a loop has for itself.

    Parameters
    ----------
    analog
        Physics of the array; asked for anew, since the user may replace it.
    signals
        Members of the port by name.
    put
        Writes bits to a signal as late as is allowed.
    """

    def __init__(
        self,
        analog: Callable[[], Analog],
        signals: Mapping[str, Any],
        put: Callable[[Any, NDArray[np.bool_]], None],
    ):
        self._analog, self._signals, self._put = analog, signals, put
        config = analog().config
        self._codes = np.zeros(config.array.rows, np.int64)
        self._asked = ("", "")
        self._held: NDArray[np.float64] | None = None
        self._cycles = 0
        write_flag(signals["saturated"], 0)
        for name in ("inv_above", "inv_beyond"):
            write_bits(signals[name], np.zeros(config.converter.adcs, bool))

    def drive(self) -> int:
        """Close the loop; return the cycles from the strobe until it has settled, or `NEVER`."""
        rows = self._analog().config.array.rows
        read = {
            name: unpack(read_bits(self._signals[name]), rows, signed=name == "inv_code")
            for name in ("inv_code", "feedback")
        }
        self._codes = read["inv_code"].astype(np.int64)
        self._held = None
        self._cycles = 0
        loop = self._analog().inversion
        loop.feed(read["feedback"].astype(np.int64))
        return NEVER if loop.settle_cycles is None else loop.settle_cycles

    def answer(self) -> None:
        """Sample, or answer the comparators, where this cycle asks for it."""
        self._cycles += 1
        if self._held is not None:
            self._compare(self._held)
        if read_flag(self._signals["inv_sample"]):
            self._sample()

    def _sample(self) -> None:
        config, loop = self._analog().config, self._analog().inversion
        cycles = self._cycles + 1
        if config.inversion.inv_timer_s and cycles != loop.settle_cycles:
            raise RuntimeError(
                f"the loop is driven for {cycles} cycles until its sample, and its timer says "
                f"{loop.settle_cycles}"
            )
        held = loop.hold(self._codes[None])
        self._held = held.values[0].reshape(config.converter.adcs, -1)
        self._asked = "", ""
        write_flag(self._signals["saturated"], int(held.saturated[0]))

    def _compare(self, held: NDArray[np.float64]) -> None:
        select, step = read_flag(self._signals["inv_select"]), read_flag(self._signals["inv_step"])
        text = read_text(self._signals["inv_trial"])
        place = f"{select} {step}"
        if (place, text) == self._asked:
            return
        adcs = self._analog().inversion.adcs(step, once=True)
        if place != self._asked[0]:
            self._put(self._signals["inv_beyond"], adcs.beyond(held[:, select]))
        self._asked = place, text
        trial = unpack(bits_of(text, self._signals["inv_trial"]), len(held))
        self._put(self._signals["inv_above"], adcs.above(held[:, select], trial))
