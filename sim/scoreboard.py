"""Compare a tile's results with the model in order, and say where the first difference began."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from golden.converter.dac import input_planes
from golden.tile.tile import Products
from spec.config import ChipConfig

REMEMBERED_PRODUCTS = 8
"""Products whose planes are kept for a report; no more are ever under way in a tile."""


class Scoreboard:
    """Check one product after the other.

    Parameters
    ----------
    vectors
        [n, inputs].
    expected
        What the model makes of them.
    transposed
        Whether it multiplies them by the transposed matrix.
    """

    def __init__(
        self,
        config: ChipConfig,
        vectors: NDArray[np.int64],
        expected: Products,
        *,
        transposed: bool = False,
    ):
        self._config = config
        self._transposed = transposed
        self._groups = config.direction(transposed).groups
        # Of the matrix.
        self._input, self._output = ("column", "row") if transposed else ("row", "column")
        self._vectors = vectors
        self._expected = expected
        self._planes_seen = 0
        self._planes: deque[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = deque(
            maxlen=REMEMBERED_PRODUCTS * config.planes
        )

    def saw_sample(self, cycle: int, codes: NDArray[np.int64]) -> None:
        """Note the DAC codes [inputs] of a plane that was sampled."""
        found = np.full((self._config.converters, self._groups), np.iinfo(np.int64).min)
        self._planes.append((cycle, codes, found))
        self._planes_seen += 1

    def saw_conversion(self, group: int, codes: NDArray[np.int64]) -> None:
        """Note the codes [converters] found for a group of the plane sampled last."""
        if self._planes:
            self._planes[-1][2][:, group] = codes

    def check(self, vector: int, results: NDArray[np.int64], cycle: int) -> str:
        """Return an empty text if `results` [outputs] of a vector are right, else a report."""
        expected = self._expected.results[vector]
        wrong = np.flatnonzero(results != expected)
        if not wrong.size:
            return ""
        output = int(wrong[0])
        lines = [
            f"mismatch: {wrong.size} of {len(results)} {self._output}s differ",
            f"  configuration {self._config.whole}",
            f"  vector        {vector}",
            *self._origin(vector, output),
            f"  {self._output:13} {output}",
            f"  cycle         {cycle}",
            f"  expected      {expected[output]}",
            f"  actual        {results[output]}",
        ]
        return "\n".join(lines)

    def _origin(self, vector: int, output: int) -> list[str]:
        """Follow a wrong result back to the first plane, slice and input that is wrong."""
        config = self._config
        first = vector * config.planes - (self._planes_seen - len(self._planes))
        one = self._vectors[vector : vector + 1]
        drives = input_planes(config, one, transposed=self._transposed)[0]
        label = f"  {self._input:13} "
        for plane in range(config.planes):
            if not 0 <= first + plane < len(self._planes):
                return [
                    f"  plane         {plane} (never sampled)",
                    "  slice         -",
                    f"{label}-",
                ]
            cycle, codes, found = self._planes[first + plane]
            inputs = np.flatnonzero(codes != drives[plane])
            if inputs.size:
                return [
                    f"  plane         {plane} (sampled in cycle {cycle})",
                    "  slice         -",
                    f"{label}{inputs[0]} (driven with {codes[inputs[0]]}, "
                    f"expected {drives[plane, inputs[0]]})",
                ]
            wanted = self._expected.codes[vector, plane]
            adc, group = divmod(output, self._groups)
            lanes = np.arange(config.array.slices) * config.converter.adcs + adc
            if config.unit_columns:
                lanes = np.append(lanes, config.converters - 1)
            wrong = np.flatnonzero((found != wanted)[lanes, group])
            if wrong.size:
                s, lane = wrong[0], lanes[wrong[0]]
                converted = "code" if s < config.array.slices else "code of the unit column"
                return [
                    f"  plane         {plane} (sampled in cycle {cycle})",
                    f"  slice         {s if s < config.array.slices else '-'} ({converted} is "
                    f"{found[lane, group]}, expected {wanted[lane, group]})",
                    f"{label}- (all driven as expected)",
                ]
        return [
            "  plane         - (all codes as expected: slices or planes are summed wrongly)",
            "  slice         -",
            f"{label}- (all driven as expected)",
        ]
