"""The cells of a tile and the currents that they send down their bit lines."""

import numpy as np
from numpy.typing import NDArray

from golden.config import ChipConfig


class Array:
    """Cells with the conductances `g_s` [slices, rows, bit_lines] in siemens."""

    def __init__(self, config: ChipConfig, g_s: NDArray[np.float64]):
        self.config = config
        self.g_s = g_s
        # All slices see the same word lines: side by side they are one matrix.
        self._wide = np.ascontiguousarray(np.concatenate(list(g_s), axis=1))

    @classmethod
    def of_levels(cls, config: ChipConfig, levels: NDArray[np.int64]) -> "Array":
        """Return an array whose cells hold `levels` [slices, rows, bit_lines] exactly."""
        return cls(config, config.g_min_s + levels.astype(np.float64) * config.g_step_s)

    def currents(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return line currents [n, slices, bit_lines] in amperes for DAC codes [n, rows]."""
        volts = codes * self.config.v_step_v
        return (volts @ self._wide).reshape(len(codes), self.config.slices, -1)
