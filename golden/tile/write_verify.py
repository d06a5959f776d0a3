"""Programming by write-verify: read a cell, compare, pulse, and again until it fits.

Each cell is brought to its level by itself:

1. Read it through the ADC that serves its bit line.
2. Within `verify_tolerance` codes of the level's code: done.
3. After `pulse_limit` pulses: given up.
4. Else a SET pulse if it reads too little, a RESET pulse if too much. The first pulse, and the
   first after a change of direction (an overshoot), has the amplitude `pulse_first`; each further
   one is `pulse_increment` higher, up to the largest that `pulse_bits` can say.

Programming over old content is the same: nothing is assumed of the state of a cell.

A cell is read with one plane, so that DAC and ADC bound how well it can be placed: a level is
`abs(verify_code) / 2**verify_step` codes wide. With a DAC of one bit that is a single code, and a
cell fits anywhere within half a level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.array.cells import Pulse
from golden.checks import checked_array, checked_integers
from golden.tile.analog import Analog
from golden.tile.mapping import cell_levels
from golden.tile.weights import slice_weights
from spec.config import ChipConfig
from spec.errors import UserError, is_integer, require, shown
from spec.tables import Mapping

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """Cells and the levels that they are to hold, in the order in which they are programmed.

    A cell is named as the periphery selects it, all arrays [n]: `slices`, `rows`; `adcs` and
    `groups`, the ADC of its array and the column within that ADC's share; `sides`, 0 for the
    positive and 1 for the negative cell of the differential mapping; in the offset mapping, 0 for
    a column and 1 for the unit column, whatever `adcs` and `groups` say.
    """

    slices: Ints
    rows: Ints
    adcs: Ints
    groups: Ints
    sides: Ints
    levels: Ints

    def __len__(self) -> int:
        return len(self.slices)

    def lines(self, config: ChipConfig) -> Ints:
        """Return the bit lines [n] of the cells, as `golden.tile.mapping` numbers them."""
        columns = self.adcs * config.forward.groups + self.groups
        if config.array.mapping is Mapping.DIFFERENTIAL:
            return 2 * columns + self.sides
        return np.where(self.sides == 1, config.array.columns, columns)

    def converters(self, config: ChipConfig) -> Ints:
        """Return which ADC of the tile [n] reads each cell."""
        converters = self.slices * config.converter.adcs + self.adcs
        if config.array.mapping is Mapping.DIFFERENTIAL:
            return converters
        return np.where(self.sides == 1, config.converters - 1, converters)


@dataclass(frozen=True)
class Outcome:
    """Hold of each cell whether it fits, its last code, and the pulses it took; all [n]."""

    success: NDArray[np.bool_]
    codes: Ints
    pulses: Ints


def targets(
    config: ChipConfig, weights: ArrayLike, rows: slice = slice(None), columns: slice = slice(None)
) -> Targets:
    """Return the cells that hold weights [rows, columns], or of a region of them.

    Slice by slice, row by row, along the row. Of the offset mapping, the unit column's cells in
    the chosen rows come with it; the reference stays as fresh cells are, at the lowest level.

    Raises
    ------
    UserError
        If the shape or a weight does not fit the configuration, the region reaches beyond the
        matrix, or the ADC cannot tell the levels.
    """
    config.require_verifiable()
    _require_inside("rows", rows, config.array.rows)
    _require_inside("columns", columns, config.array.columns)
    levels = cell_levels(config, slice_weights(config, weights))
    chosen = np.zeros(levels.shape, bool)
    kept = np.zeros((config.array.rows, config.array.columns), bool)
    kept[rows, columns] = True
    if config.array.mapping is Mapping.DIFFERENTIAL:
        chosen[:] = np.repeat(kept, 2, axis=1)
    else:
        chosen[..., : config.array.columns] = kept
        chosen[-1, :, config.array.columns] = kept.any(axis=1)
    slices, at_rows, lines = np.nonzero(chosen)
    if config.array.mapping is Mapping.DIFFERENTIAL:
        at_columns, sides = lines // 2, lines % 2
    else:
        sides = (lines == config.array.columns).astype(np.int64)
        at_columns = np.where(sides == 1, 0, lines)
    adcs, groups = at_columns // config.forward.groups, at_columns % config.forward.groups
    return Targets(slices, at_rows, adcs, groups, sides, levels[chosen])


def program(analog: Analog, wanted: Targets) -> Outcome:
    """Program the cells of an array, all different.

    Cells do not influence each other, so all are stepped together; the pulses and draws of each
    are those of programming one after the other.

    Raises
    ------
    UserError
        If a cell lies outside of the array or is named twice, a level does not exist, or the ADC
        cannot tell the levels.
    """
    config = analog.config
    config.require_verifiable()
    wanted = checked_targets(config, wanted)
    count = len(wanted)
    slices, rows, lines = wanted.slices, wanted.rows, wanted.lines(config)
    converters = wanted.converters(config)
    goal = np.array(config.verify_targets)[wanted.levels]
    # Negative where a larger conductance reads as a smaller code.
    direction = 1 if config.verify_code > 0 else -1
    strongest = (1 << config.programming.pulse_bits) - 1

    success = np.zeros(count, bool)
    codes = np.zeros(count, np.int64)
    pulses = np.zeros(count, np.int64)
    kinds = np.full(count, -1)
    amplitudes = np.zeros(count, np.int64)
    active = np.arange(count)
    while active.size:
        held = analog.hold_cells(slices[active], rows[active], lines[active])
        codes[active] = analog.cell_adcs(converters[active]).convert(held)
        miss = (codes[active] - goal[active]) * direction
        fits = np.abs(miss) <= config.verify_tolerance
        success[active[fits]] = True
        going_on = ~fits & (pulses[active] < config.programming.pulse_limit)
        active, miss = active[going_on], miss[going_on]

        kind = np.where(miss < 0, Pulse.SET, Pulse.RESET)
        higher = np.minimum(amplitudes[active] + config.programming.pulse_increment, strongest)
        amplitudes[active] = np.where(kind == kinds[active], higher, config.programming.pulse_first)
        kinds[active] = kind
        pulses[active] += 1
        if active.size:
            where = (slices[active], rows[active], lines[active])
            analog.array.cells.pulse(*where, kind, amplitudes[active])
    return Outcome(success, codes, pulses)


def read(analog: Analog, wanted: Targets) -> Outcome:
    """Read cells once each, and compare them with their levels; no pulse is given.

    Raises
    ------
    UserError
        As `program`.
    """
    config = analog.config
    config.require_verifiable()
    wanted = checked_targets(config, wanted)
    held = analog.hold_cells(wanted.slices, wanted.rows, wanted.lines(config))
    codes = analog.cell_adcs(wanted.converters(config)).convert(held)
    miss = codes - np.array(config.verify_targets)[wanted.levels]
    fits = np.abs(miss) <= config.verify_tolerance
    return Outcome(fits, codes, np.zeros(len(wanted), np.int64))


def _require_inside(name: str, region: slice, size: int) -> None:
    """Raise `UserError` for ends that slicing would move into the matrix."""
    require(isinstance(region, slice), f"{name} to program must be a slice, not {shown(region)}")
    for end in (region.start, region.stop):
        require(
            end is None or (is_integer(end) and -size <= int(end) <= size),
            f"{name} to program must end within the matrix, at 0 to {size}, not {shown(end)}",
        )
    require(region.step in (None, 1), f"{name} to program must be neighbours, not {shown(region)}")


def checked_targets(config: ChipConfig, wanted: Targets) -> Targets:
    """Return cells as integers, or raise `UserError` that names the first that cannot be."""
    limits = {
        "slices": config.array.slices,
        "rows": config.array.rows,
        "adcs": config.converter.adcs,
        "groups": config.forward.groups,
        "sides": 2,
        "levels": config.levels,
    }
    count = len(checked_array("slices to program", wanted.slices, (-1,)))
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    cells = Targets(
        *(
            checked_integers(f"{name} to program", getattr(wanted, name), (count,), low, high)
            for name in limits
        )
    )
    for name, size in limits.items():
        values = getattr(cells, name)
        bad = np.flatnonzero((values < 0) | (values >= size))
        if bad.size:
            i = int(bad[0])
            raise UserError(
                f"cell {i} to program (slice {cells.slices[i]}, row {cells.rows[i]}, ADC "
                f"{cells.adcs[i]}, group {cells.groups[i]}, side {cells.sides[i]}, level "
                f"{cells.levels[i]}) must have {name} of 0 to {size - 1}, not {values[i]}"
            )
    where = np.stack([cells.slices, cells.rows, cells.lines(config)])
    distinct = np.unique(where, axis=1).shape[1] == count
    require(distinct, "a cell to program is named twice: name it once a call")
    return cells
