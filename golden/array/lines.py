"""The cells of a tile and the currents that they send down their bit lines.

Lines may have resistance: the network of a slice is linear and is one matrix
(`golden.array.wires`), computed anew only when a conductance has changed. Every bit line ends in a
virtual ground.

Read noise needs no draw for each cell and sample. The noise currents of the cells of a line are
independent, and their sum is Gaussian with the variance sum over rows of (v sigma)^2: one draw for
each line and plane is exact. With wires, the noise of a cell is attenuated like its signal;
that the noise of one cell then also moves other lines, a little, is left out.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.array.cells import Cells, Where
from golden.array.circuit import WireOhms, wire_ohms
from golden.array.rounding import Rounding, bent, rounded
from golden.array.wires import effective_matrix, solve_nonlinear
from golden.checks import checked_integers
from golden.converter.dac import Dacs
from golden.draws import Draw, stream
from spec.config import ChipConfig
from spec.errors import require

Floats = NDArray[np.float64]


class Array:
    """Cells between word lines and bit lines, either of which are driven by the DACs.

    Parameters
    ----------
    config
        Gives the shape, and in `physics` the non-idealities.
    g_s
        Conductances [slices, rows, bit_lines] in siemens, which healthy cells take exactly. By
        default the cells are fresh.

    Attributes
    ----------
    cells
        `golden.array.cells.Cells`. What is done to them shows in the next currents.

    Raises
    ------
    UserError
        If conductances do not fit, or sums of exact numbers are too wide.
    """

    def __init__(self, config: ChipConfig, g_s: ArrayLike | None = None):
        physics = config.physics
        self.config = config
        self.cells = Cells(config)
        if g_s is not None:
            self.cells.place(g_s)
        self._dacs = Dacs(config)
        self._noise = stream(physics.seed, Draw.READ_NOISE)

        self._bits = Rounding.of(config, self._dacs)
        wide = (config.array.rows, config.array.slices * config.bit_lines)
        self._versions = self.cells.versions - 1
        self._matrix = np.zeros(wide)
        # Without read noise they stay zero.
        self._squares = np.zeros(wide)
        self._turned: tuple[Floats, Floats] | None = None

    @classmethod
    def of_levels(cls, config: ChipConfig, levels: ArrayLike) -> "Array":
        """Return an array whose healthy cells hold `levels` [slices, rows, bit_lines] exactly."""
        shape = (config.array.slices, config.array.rows, config.bit_lines)
        checked = checked_integers("levels", levels, shape, 0, config.levels - 1)
        return cls(config, config.array.g_min_s + checked * config.g_step_s)

    @classmethod
    def programmed(cls, config: ChipConfig, levels: ArrayLike) -> "Array":
        """Return an array programmed to `levels` [slices, rows, bit_lines], `program_error` off."""
        array = cls(config)
        array.cells.program(levels)
        return array

    @property
    def streams(self) -> list[np.random.Generator]:
        """Streams that currents draw from, plane after plane."""
        return [self._noise, self._dacs.stream]

    @property
    def g_s(self) -> Floats:
        """Present conductances [slices, rows, bit_lines] in siemens."""
        return self.cells.g_s

    @property
    def effective_s(self) -> Floats:
        """Matrix [slices, rows, bit_lines] in siemens from voltages to currents, wires included.

        Of the linear cells, and as finely rounded as in `currents`. A transposed read, with the bit
        lines driven and the word lines sensed, has the transposed matrix (reciprocity).
        """
        self._refresh()
        shape = (self.config.array.rows, self.config.array.slices, self.config.bit_lines)
        return self._matrix.reshape(shape).transpose(1, 0, 2) * self.config.g_step_s

    def matrix(self, *, transposed: bool = False) -> Floats:
        """Return [inputs, slices, lines] in units per DAC code, as `currents` rounds it.

        Lines are bit lines or, transposed, word lines.

        Raises
        ------
        UserError
            If the cells are curved, or have no transposed products.
        """
        config = self.config
        bend = config.physics.cells.nonlinearity
        require(
            bend == 0, f"curved cells have no matrix, but nonlinearity is {bend:g}: set it to 0"
        )
        self._refresh()
        matrix = self._transposed_matrix()[0] if transposed else self._matrix
        return matrix.reshape(config.direction(transposed).inputs, config.array.slices, -1)

    def drive(self, codes: ArrayLike) -> Floats:
        """Return what the DACs drive linear cells with, in DAC codes [..., inputs]; no noise."""
        return self._bend(self._dacs.settled(self._dacs.checked(codes, None)))

    def drive_v(self, codes: ArrayLike) -> Floats:
        """Return what the DACs settle to, in volts [..., inputs], for codes; noise left out."""
        return self._dacs.settled(self._dacs.checked(codes, None)) * self.config.v_step_v

    def currents(self, codes: ArrayLike) -> Floats:
        """Return line currents [n, slices, bit_lines] in units (`ChipConfig.unit_a`) for DAC codes.

        Codes are [n, rows]. Each call draws the noise of its planes.

        Raises
        ------
        UserError
            If the codes are none of the DACs.
        """
        codes = self._dacs.checked(codes, (-1, self.config.array.rows))
        self._refresh()
        lines = self._read(codes, self._matrix, self._squares, self._solve)
        return lines.reshape(len(codes), self.config.array.slices, self.config.bit_lines)

    def transposed_currents(self, codes: ArrayLike) -> Floats:
        """Drive the columns instead, and sense the word lines: the transposed read.

        The positive bit line of a column gets the voltage of its DAC, the negative one the
        opposite; word lines end in virtual grounds where their drivers were, with the same terminal
        resistances. By reciprocity the matrix is the transpose of the one that `currents` uses,
        wires included.

        Parameters
        ----------
        codes
            [n, columns], DAC codes.

        Returns
        -------
        currents
            [n, slices, rows] in units. Each call draws the noise of its planes.

        Raises
        ------
        UserError
            If the mapping is not differential, or the codes are none of the DACs.
        """
        config = self.config
        config.require_transposable()
        codes = self._dacs.checked(codes, (-1, config.array.columns))
        self._refresh()
        lines = self._read(codes, *self._transposed_matrix(), self._solve_transposed)
        return lines.reshape(len(codes), config.array.slices, config.array.rows)

    def _transposed_matrix(self) -> tuple[Floats, Floats]:
        """Return matrix and squares [columns, slices * rows] of a transposed read."""
        self.config.require_transposable()
        if self._turned is None:
            self._turned = self._turn(self._matrix, -1), self._turn(self._squares, 1)
        return self._turned

    def _turn(self, matrix: Floats, sign: int) -> Floats:
        """Return the matrix [columns, slices * rows] of a transposed read.

        `sign` is that of a negative line's share.
        """
        config = self.config
        lines = matrix.reshape(config.array.rows, config.array.slices, config.array.columns, 2)
        columns = lines[..., 0] + sign * lines[..., 1]
        return columns.transpose(2, 1, 0).reshape(config.array.columns, -1)

    def _read(
        self,
        codes: NDArray[np.int64],
        matrix: Floats,
        squares: Floats,
        solve: Callable[[Floats], Floats],
    ) -> Floats:
        """Return line currents [n, lines] in units for DAC codes [n, inputs], with their noise.

        They follow from a matrix [inputs, lines] and that of its squares, unless cells are curved
        and wires resist: then from `solve`, plane by plane.
        """
        physics = self.config.physics
        drive = self._dacs.drive(codes)
        if physics.cells.nonlinearity and physics.wires.resistive:
            lines = np.empty((len(drive), matrix.shape[1]))
            for plane, volts in zip(lines, drive, strict=True):
                plane[:] = solve(volts)
            drive = self._bend(drive)
        else:
            drive = self._bend(drive)
            lines = drive @ matrix
        if physics.cells.read_noise:
            variance = rounded(drive**2, self._bits.square) @ squares
            noise = np.sqrt(variance, out=variance)
            noise *= physics.cells.read_noise
            noise *= self._noise.standard_normal(lines.shape)
            lines += noise
        return lines

    def cell_currents(
        self, slices: ArrayLike, rows: ArrayLike, lines: ArrayLike
    ) -> tuple[Floats, Floats]:
        """Read cells (slices, rows, lines) [n] one by one, each selected by its transistor.

        Only the selected cell conducts, through its own stretch of word and bit line: wires are a
        resistance in series. The word line is driven with `ChipConfig.verify_code`, at which curved
        cells have their nominal conductance; that the drop in the wires and the noise of the DAC
        then move them along their curve is left out.

        Returns
        -------
        currents
            [n] in units, noise apart.
        noise
            [n], standard deviation of read and DAC noise in units.

        Raises
        ------
        UserError
            If a cell lies outside of the array or is named twice.
        """
        return self.selected_currents(self.cells.where(slices, rows, lines))

    def selected_currents(self, where: Where) -> tuple[Floats, Floats]:
        """Read cells as `cell_currents`, given as `golden.array.cells.Cells.where` returns them."""
        physics = self.config.physics
        _, rows, lines = where
        wires_ohm = (
            physics.wires.r_driver_ohm
            + physics.wires.r_word_ohm * lines
            + physics.wires.r_bit_ohm * (self.config.array.rows - 1 - rows)
            + physics.wires.r_sense_ohm
        )
        g_s = self.cells.at_s(where)
        g = g_s / (1 + g_s * wires_ohm) / self.config.g_step_s
        codes = np.full(self.config.array.rows, self.config.verify_code)
        drive = self._bend(self._dacs.settled(codes))[rows]
        return g * drive, g * np.hypot(
            physics.cells.read_noise * drive, physics.converters.dac_noise
        )

    def _refresh(self) -> None:
        """Bring the matrix up to date with the cells."""
        config = self.config
        rows = np.flatnonzero(self._versions != self.cells.versions)
        if not len(rows):
            return
        if config.physics.wires.resistive:
            # One cell changes the voltages of all others.
            rows = np.arange(config.array.rows)
        effective = self._with_wires(self.cells.rows_s(rows)) / config.g_step_s
        matrix = effective.transpose(1, 0, 2).reshape(len(rows), -1)
        self._matrix[rows] = rounded(matrix, self._bits.cell)
        if config.physics.cells.read_noise:
            self._squares[rows] = rounded(matrix**2, self._bits.cell_square)
        self._versions = self.cells.versions.copy()
        self._turned = None

    def _with_wires(self, g_s: Floats) -> Floats:
        wires = self.config.physics.wires
        if not wires.resistive:
            return g_s
        return effective_matrix(g_s, **wire_ohms(wires))

    def _bend(self, drive: Floats) -> Floats:
        return bent(self.config, self._dacs, drive)

    def _solve(self, drive: Floats) -> Floats:
        """Return bit-line currents in units for one plane of voltages [rows] in DAC steps.

        One plane at a time: vectors that are solved together share the iteration.
        """
        wires = wire_ohms(self.config.physics.wires)
        return self._solve_network(self.cells.g_s, drive, wires).ravel()

    def _solve_transposed(self, drive: Floats) -> Floats:
        """Return word-line currents in units for one plane of voltages [columns] in DAC steps.

        The network is the same, seen from its bit lines: these come as word lines, driven where
        the last row is, and end at word line 0.
        """
        wires = self.config.physics.wires
        currents = self._solve_network(
            self.cells.g_s[:, ::-1, ::-1].swapaxes(1, 2),
            np.stack([drive, -drive], axis=1).ravel()[::-1],
            {
                "r_word": wires.r_bit_ohm,
                "r_bit": wires.r_word_ohm,
                "r_driver": wires.r_sense_ohm,
                "r_sense": wires.r_driver_ohm,
            },
        )
        return currents[:, ::-1].ravel()

    def _solve_network(self, g_s: Floats, drive: Floats, wires: WireOhms) -> Floats:
        """Return currents [slices, columns] in units of a network of curved cells.

        Conductances are [slices, rows, columns], the drive is [rows] in DAC steps.
        """
        config = self.config
        k = config.physics.cells.nonlinearity
        scale = config.converter.v_read_v / math.sinh(k * config.converter.v_read_v)

        def curve(g_s: Floats, u: Floats) -> tuple[Floats, Floats]:
            return g_s * scale * np.sinh(k * u), g_s * scale * k * np.cosh(k * u)

        volts = np.broadcast_to(drive * config.v_step_v, (config.array.slices, len(drive)))
        # Within the ranges of the configuration the iteration converges, see its tests.
        return solve_nonlinear(g_s, curve, volts, **wires).current / config.unit_a
