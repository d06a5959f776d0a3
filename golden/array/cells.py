"""Resistive memory cells: what pulses, time and faults do to their conductances.

A pulse moves a cell part of the way towards a bound of the cell, SET to the upper and RESET to
the lower one:

    g <- g + (bound - g) (1 - exp(-m))
    m = pulse_step max(0, amplitude - pulse_threshold) D C

D is the cell's own gain, one for SET and one for RESET, and C the draw of the pulse, both
lognormal with median 1 (`pulse_device_spread`, `pulse_cycle_spread`). Steps shrink towards the
bound, grow with the amplitude, and no pulse leaves the bounds or acts backwards. Behavioural, not
fitted to a cell: an exponential approach to a bound is common in models of analogue programming.

The draw of a pulse depends on the seed, the cell, and how many pulses the cell has had, alone:
cells may be programmed in any order, one by one or together, with the same result.
"""

import enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.checks import checked_array, whole
from golden.draws import Draw, keyed_normal, stream
from spec.config import ChipConfig
from spec.errors import UserError, digits, require, require_number, shown
from spec.physics import LARGEST

STRONGEST = (1 << 16) - 1
"""Largest amplitude that any configuration has."""


Where = tuple[NDArray[np.int64], ...]
"""Slices, rows and bit lines [n] of cells."""


class Pulse(enum.IntEnum):
    """Kinds of write pulses."""

    SET = 0
    """Raises the conductance."""
    RESET = 1
    """Lowers the conductance."""


class Cells:
    """The cells of a tile, [slices, rows, bit_lines]. Fresh ones are at the lowest level.

    Parameters
    ----------
    config
        Gives shape, levels and, in `physics`, the behaviour.

    Attributes
    ----------
    stuck
        Mask of the cells that cannot be programmed; read only.
    pulses
        Pulses that each cell has had; read only.
    versions
        [rows], a number per row that grows whenever a conductance of the row may have changed, so
        that what follows from the others can be kept; read only.
    """

    def __init__(self, config: ChipConfig):
        physics = config.physics
        self.config = config
        self.shape = (config.array.slices, config.array.rows, config.bit_lines)
        self.versions = np.zeros(config.array.rows, np.int64)
        self.pulses = np.zeros(self.shape, np.int64)
        self._bounds_s = np.array(
            [
                config.array.g_max_s * (1 + physics.cells.headroom),
                config.array.g_min_s / (1 + physics.cells.headroom),
            ]
        )
        gain = stream(physics.seed, Draw.STEP_GAIN).standard_normal((2, *self.shape))
        self._step = physics.cells.pulse_step * np.exp(physics.cells.pulse_device_spread * gain)
        nu = stream(physics.seed, Draw.DRIFT).standard_normal(self.shape)
        self._exponent = physics.cells.drift + physics.cells.drift_spread * nu
        self._program = stream(physics.seed, Draw.PROGRAM)

        self._time_s = 0.0
        # Conductance when last programmed, and when that was.
        self._g_s = np.full(self.shape, config.array.g_min_s)
        self._since_s = np.zeros(self.shape)
        self._relaxing = np.zeros(self.shape, bool)
        self.stuck = np.zeros(self.shape, bool)
        fate, level = stream(physics.seed, Draw.STUCK).random((2, *self.shape))
        at = np.nonzero(fate < physics.cells.stuck_low + physics.cells.stuck_any)
        self._stick(
            at, config.array.g_min_s + level[at] * (config.array.g_max_s - config.array.g_min_s)
        )
        self._stick(np.nonzero(fate < physics.cells.stuck_low), config.array.g_min_s)
        self._stick(np.nonzero(fate >= 1 - physics.cells.stuck_high), config.array.g_max_s)

    @property
    def g_s(self) -> NDArray[np.float64]:
        """Present conductances in siemens; a copy."""
        return self._present(...)

    def rows_s(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the present conductances [slices, len(rows), bit_lines] of some rows."""
        return self._present((slice(None), rows))

    def at_s(self, where: Where) -> NDArray[np.float64]:
        """Return the present conductances [n] of some cells."""
        return self._present(where)

    def place(self, g_s: ArrayLike) -> None:
        """Give the healthy cells the conductances g_s [slices, rows, bit_lines], exactly.

        Raises
        ------
        UserError
            If the shape differs or a conductance is negative or not finite.
        """
        wanted = self._checked("conductance", "S", g_s, LARGEST * self.config.array.g_max_s)
        healthy = np.nonzero(~self.stuck)
        self._write(healthy, wanted[healthy])
        self._relaxing[:] = False

    def program(self, levels: ArrayLike) -> None:
        """Bring the healthy cells to `levels` [slices, rows, bit_lines] with `program_error`.

        Raises
        ------
        UserError
            If the shape differs or a level is not of 0 to the highest.
        """
        wanted = self._checked("level", "", levels, self.config.levels - 1)
        error = self._program.standard_normal(self.shape) * self.config.physics.cells.program_error
        g_s = self.config.array.g_min_s + (wanted + error) * self.config.g_step_s
        self.place(np.clip(g_s, *self._bounds_s[::-1]))

    def pulse(
        self,
        slices: ArrayLike,
        rows: ArrayLike,
        lines: ArrayLike,
        kind: ArrayLike,
        amplitude: ArrayLike,
    ) -> None:
        """Apply one pulse to each cell (slices, rows, lines).

        `kind` is a `Pulse`, `amplitude` the DAC code of the pulse's height. Stuck cells ignore it.
        An argument that is the same for all cells may be given once.

        Raises
        ------
        UserError
            If a cell lies outside of the array or is named twice, or an amplitude is no code.
        """
        slices, rows, lines, kind, amplitude = _broadcast(
            slice=slices, row=rows, line=lines, kind=kind, amplitude=amplitude
        )
        cell = self._numbers(slices, rows, lines)
        _require_all((kind == Pulse.SET) | (kind == Pulse.RESET), kind, "kind", "a Pulse")
        fits = whole(amplitude) & (amplitude >= 0) & (amplitude <= STRONGEST)
        _require_all(fits, amplitude, "amplitude", f"a DAC code of 0 to {STRONGEST}")
        healthy = ~self.stuck.flat[cell]
        cell, kind = cell[healthy], kind[healthy].astype(np.int64)
        amplitude = amplitude[healthy].astype(np.int64)

        physics = self.config.physics
        count = self.pulses.flat[cell]
        cycle = physics.cells.pulse_cycle_spread * keyed_normal(
            physics.seed, Draw.CYCLE, cell, count
        )
        step = self._step.reshape(2, -1)[kind, cell]
        strength = step * np.maximum(0, amplitude - physics.cells.pulse_threshold) * np.exp(cycle)
        at = np.unravel_index(cell, self.shape)
        before = self._present(at)
        # A cell beyond the bound, which it can drift to, stays: no pulse acts backwards.
        left = self._bounds_s[kind] - before
        left = np.where(kind == Pulse.SET, np.maximum(left, 0), np.minimum(left, 0))
        after = before - left * np.expm1(-strength)
        self.pulses[at] += 1
        self._relaxing[at] = True
        self._write(at, after)

    def relax(self) -> None:
        """End programming: every cell that had pulses since the last call moves, once."""
        if not self._relaxing.any():
            return
        physics = self.config.physics
        at = np.nonzero(self._relaxing)
        cell = np.ravel_multi_index(at, self.shape)
        move = keyed_normal(physics.seed, Draw.RELAXATION, cell, self.pulses[at])
        before = self._present(at)
        after = before + move * physics.cells.relaxation * self.config.g_step_s
        # A cell that is beyond a bound goes no further, and is not taken back to it.
        low, high = (np.minimum(before, self._bounds_s[1]), np.maximum(before, self._bounds_s[0]))
        self._write(at, np.clip(after, low, high))
        self._relaxing[:] = False

    def wait(self, seconds: float) -> None:
        """Let time pass, in which programmed cells drift."""
        require_number("seconds to wait", seconds, 0.0, 1e12, "seconds")
        self._time_s += seconds
        if self._drifting:
            self.versions += 1

    def stick(self, slices: ArrayLike, rows: ArrayLike, lines: ArrayLike, g_s: ArrayLike) -> None:
        """Make cells (slices, rows, lines) stuck at conductances g_s in siemens.

        An argument that is the same for all cells may be given once.

        Raises
        ------
        UserError
            If a cell lies outside of the array or is named twice, or a conductance is not of
            0 to `LARGEST` times `g_max_s`.
        """
        slices, rows, lines, g_s = _broadcast(slice=slices, row=rows, line=lines, conductance=g_s)
        cell = self._numbers(slices, rows, lines)
        top = LARGEST * self.config.array.g_max_s
        fits = (g_s >= 0) & (g_s <= top)
        _require_all(fits, g_s, "conductance of a stuck cell", f"0 to {digits(top)} S")
        self._stick(np.unravel_index(cell, self.shape), g_s.astype(np.float64))

    def where(self, slices: ArrayLike, rows: ArrayLike, lines: ArrayLike) -> Where:
        """Return cells (slices, rows, lines) as arrays [n] of indices.

        Raises
        ------
        UserError
            If a cell lies outside of the array or is named twice.
        """
        cell = self._numbers(*_broadcast(slice=slices, row=rows, line=lines))
        return np.unravel_index(cell, self.shape)

    def _numbers(
        self, slices: NDArray[Any], rows: NDArray[Any], lines: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Return the numbers [n] of cells (slices, rows, lines) [n] within the flat array."""
        where = slices, rows, lines
        try:
            if not all(each.dtype.kind == "i" or bool(whole(each).all()) for each in where):
                raise ValueError
            cell: NDArray[np.int64] = np.ravel_multi_index(
                tuple(each.astype(np.int64, copy=False) for each in where), self.shape
            )
        except (ValueError, OverflowError):
            raise self._outside(np.stack(where)) from None
        # Sorting is most of the time that a single cell would take.
        distinct = len(cell) == 1 or len(np.unique(cell)) == len(cell)
        require(distinct, "a cell is named twice: name it once a call")
        return cell

    def _checked(self, name: str, unit: str, values: ArrayLike, top: float) -> NDArray[np.float64]:
        """Return one value of 0 to `top` a cell, or raise `UserError`."""
        wanted = checked_array(f"{name}s", values, self.shape)
        bad = ~((wanted >= 0) & (wanted <= top))
        if bad.any():
            slice_, row, line = where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise UserError(
                f"the {name} of cell (slice {slice_}, row {row}, line {line}) must be "
                f"{f'0 to {digits(top)} {unit}'.strip()}, not {shown(wanted.item(where))}"
            )
        return wanted.astype(np.float64)

    @property
    def _drifting(self) -> bool:
        return bool(self.config.physics.cells.drift or self.config.physics.cells.drift_spread)

    def _present(self, at: Any) -> NDArray[np.float64]:
        """Return the present conductances at an index."""
        g_s: NDArray[np.float64] = self._g_s[at].copy()
        if self._drifting:
            t0_s = self.config.physics.cells.drift_t0_s
            age = np.maximum(self._time_s - self._since_s[at], t0_s) / t0_s
            grown_s = g_s * np.where(self.stuck[at], 1.0, age ** -self._exponent[at])
            # Growth ends at the cell's bound, or where the cell was placed beyond it.
            g_s = np.minimum(grown_s, np.maximum(g_s, self._bounds_s[Pulse.SET]))
        return g_s

    def _write(self, at: Any, g_s: NDArray[np.float64] | float) -> None:
        """Set the conductances of cells given by one index array a dimension, as of now."""
        self._g_s[at] = g_s
        self._since_s[at] = self._time_s
        self.versions[at[1]] += 1

    def _stick(self, at: Any, g_s: NDArray[np.float64] | float) -> None:
        self.stuck[at] = True
        self._relaxing[at] = False
        self._write(at, g_s)

    def _outside(self, where: NDArray[Any]) -> UserError:
        """Return the refusal of the first of cells [3, n] that there is not."""
        size = np.array(self.shape)[:, None]
        bad = (~whole(where) | (where < 0) | (where >= size)).any(axis=0)
        slice_, row, line = map(shown, where[:, np.argmax(bad)].tolist())
        return UserError(
            f"cell (slice {slice_}, row {row}, line {line}) lies outside of the array of "
            f"{self.shape[0]} x {self.shape[1]} x {self.shape[2]}"
        )


def _broadcast(**values: ArrayLike) -> list[NDArray[Any]]:
    """Return arrays [n] of numbers that are given alone or as n of them."""
    arrays = [np.atleast_1d(checked_array(name, each)) for name, each in values.items()]
    sizes = {array.size for array in arrays}
    count = 0 if 0 in sizes else max(sizes)
    for name, array in zip(values, arrays, strict=True):
        if array.size not in (1, count):
            raise UserError(f"{name} must be one number or {count}, not {array.size}")
    return [
        array if array.shape == (count,) else np.broadcast_to(array.ravel(), count)
        for array in arrays
    ]


def _require_all(good: NDArray[np.bool_], values: NDArray[Any], name: str, wanted: str) -> None:
    """Raise `UserError` that names the first value that is not good."""
    if not good.all():
        raise UserError(f"{name} must be {wanted}, not {shown(values.item(np.argmin(good)))}")
