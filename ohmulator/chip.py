"""The front door: a chip with any number of matrices side by side.

with Chip("digits", adc_bits=13, tiles=16) as chip:
    matrix = chip.matrix(weights)
    results = matrix.multiply(vectors)
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.machine.machine import Machine
from golden.machine.scheduler import blocks
from ohmulator.compiler import MatrixProgram, compile_matrix, load, multiply
from ohmulator.compiler.matrix import more
from ohmulator.host import Carrier, Host, ModelCarrier
from spec.config import ChipConfig
from spec.errors import require
from spec.load import load as load_config


class Chip:
    """A chip that multiplies by matrices.

    Parameters
    ----------
    config
        Name of a preset, path of a TOML file, or a configuration.
    carrier
        What takes packets to the chip; by default the chip is a model in this process.
    fields
        Fields of the configuration that differ, each by its name alone: `adc_bits=13`.

    Attributes
    ----------
    config
        The configuration.
    host
        The host's side of the link, for programs of your own.

    Raises
    ------
    UserError
        If there is no such configuration, or no chip can be made of it, for it could not verify
        what its cells hold.
    MismatchError
        If the carrier leads to another chip.
    LinkError
        From here and every method that talks to the chip: no good reply came.
    """

    def __init__(
        self, config: str | Path | ChipConfig, *, carrier: Carrier | None = None, **fields: Any
    ):
        if isinstance(config, ChipConfig):
            self.config = config.replace(**fields)
        else:
            self.config = load_config(config, **fields)
        self.config.require_verifiable()
        if carrier is None:
            carrier = ModelCarrier(Machine(self.config))
        self.host = Host(carrier, self.config)
        self._matrices = self._blocks = self._weights = self._instructions = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def matrix(self, weights: ArrayLike, *, shift: int = 0) -> "Matrix":
        """Bring a matrix of weights [rows, columns] to the chip, beside those that are there.

        It begins at the tile after the last one of the matrix before it, so that matrices share
        tiles only where there are not enough; shared tiles are programmed anew at each change.

        Parameters
        ----------
        weights
            Integers within `ChipConfig.weight_range`, of any shape.
        shift
            Results are divided by 2**shift, rounded to the nearest, halves up: 0 to 63.

        Raises
        ------
        UserError
            If an argument is out of range, or one of the chip's memories is full.
        """
        machine = self.config.machine
        require(
            self._matrices < machine.matrices,
            f"the chip holds {self._matrices} matrices already: "
            f"{more(self.config, 'matrices', self._matrices + 1)}",
        )
        program = compile_matrix(
            self.config,
            weights,
            shift=shift,
            matrix=self._matrices,
            tile=self._blocks % machine.tiles,
            address=self._weights,
            start=self._instructions,
        )
        load(self.host, program)
        self._matrices += 1
        rows, columns = program.weights.shape
        self._blocks += len(list(blocks(self.config, rows, columns, 0)))
        self._weights += program.weights.size
        self._instructions += program.instructions
        return Matrix(self.host, program)

    def counters(self) -> dict[str, int]:
        """Return the performance counters, those of tiles as `tile0.drives`.

        Those that this chip does not have are left out: a model has no cycles.
        """
        return self.host.counters()

    def close(self) -> None:
        """Let go of the chip."""
        self.host.close()


class Matrix:
    """A matrix on a chip, as `Chip.matrix` returns it."""

    def __init__(self, host: Host, program: MatrixProgram):
        self._host, self._program = host, program

    @property
    def weights(self) -> NDArray[np.int64]:
        """Weights [rows, columns]."""
        return self._program.weights

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self._program.weights.shape
        return rows, columns

    def multiply(self, vectors: ArrayLike, *, transposed: bool = False) -> NDArray[np.int64]:
        """Multiply vectors [n, rows] or one vector [rows]; return [n, columns] or [columns].

        Transposed, vectors have `columns` inputs, and results have `rows`. A result that does not
        fit 32 bits is saturated, which the chip counts.

        Raises
        ------
        UserError
            If the vectors are not integers of 32 bits, or not of the length that the matrix needs,
            or the chip has no transposed products.
        LinkError
            Also if another host used the chip, or it was reset, meanwhile.
        """
        return multiply(self._host, self._program, vectors, transposed=transposed)
