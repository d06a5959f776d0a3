"""Compare a tile's results with the model in order, and say where the first difference began."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from golden.converter.dac import input_planes
from sim.foreseen import Foreseen
from spec.config import ChipConfig

REMEMBERED_PRODUCTS = 8
"""Products whose planes are kept for a report; no more are ever under way in a tile."""


class Scoreboard:
    """Check one product after the other.

    Parameters
    ----------
    foreseen
        What the model makes of the vectors.
    transposed
        Whether they are multiplied by the transposed matrix.
    kept
        Whether all results are kept.

    Attributes
    ----------
    results, expected
        Those kept, [outputs] each, of the RTL and of the model.
    wrong
        Number of results that differ.
    mismatch
        Where the first difference began, in words; empty if there is none.
    """

    def __init__(
        self, config: ChipConfig, foreseen: Foreseen, *, transposed: bool = False, kept: bool = True
    ):
        self._config, self._foreseen = config, foreseen
        self._transposed, self._kept = transposed, kept
        self._groups = config.direction(transposed).groups
        # Of the matrix.
        self._input, self._output = ("column", "row") if transposed else ("row", "column")
        self._planes_seen = 0
        self._planes: deque[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = deque(
            maxlen=REMEMBERED_PRODUCTS * config.planes
        )
        self._checked = 0
        self.results: list[NDArray[np.int64]] = []
        self.expected: list[NDArray[np.int64]] = []
        self.wrong = 0
        self.mismatch = ""

    def saw_sample(self, cycle: int, codes: NDArray[np.int64]) -> None:
        """Note the DAC codes [inputs] of a plane that was sampled."""
        found = np.full((self._config.converters, self._groups), np.iinfo(np.int64).min)
        self._planes.append((cycle, codes, found))
        self._planes_seen += 1

    def saw_conversion(self, group: int, codes: NDArray[np.int64]) -> None:
        """Note the codes [converters] found for a group of the plane sampled last."""
        if self._planes:
            self._planes[-1][2][:, group] = codes

    def check(self, results: NDArray[np.int64], cycle: int) -> None:
        """Compare the results [outputs] of the next product, complete in a cycle."""
        number = self._checked
        self._checked += 1
        expected = self._foreseen.results(number)
        if self._kept:
            self.results.append(results)
            self.expected.append(expected)
        wrong = np.flatnonzero(results != expected)
        self.wrong += wrong.size
        if self.mismatch or not wrong.size:
            return
        output = int(wrong[0])
        lines = [
            f"mismatch: {wrong.size} of {len(results)} {self._output}s differ",
            f"  configuration {self._config.whole}",
            f"  vector        {number}",
            *self._origin(number, output),
            f"  {self._output:13} {output}",
            f"  cycle         {cycle}",
            f"  expected      {expected[output]}",
            f"  actual        {results[output]}",
        ]
        self.mismatch = "\n".join(lines)

    def _origin(self, number: int, output: int) -> list[str]:
        """Follow a wrong result back to the first plane, slice and input that is wrong."""
        config = self._config
        first = number * config.planes - (self._planes_seen - len(self._planes))
        vector = self._foreseen.vector(number)[None]
        drives = input_planes(config, vector, transposed=self._transposed)[0]
        for plane in range(config.planes):
            if not 0 <= first + plane < len(self._planes):
                return self._place(f"{plane} (never sampled)")
            cycle, codes, found = self._planes[first + plane]
            where = f"{plane} (sampled in cycle {cycle})"
            inputs = np.flatnonzero(codes != drives[plane])
            if inputs.size:
                at = inputs[0]
                driven = f"{at} (driven with {codes[at]}, expected {drives[plane, at]})"
                return self._place(where, input_=driven)
            slice_ = self._wrong_code(self._foreseen.codes(number)[plane], found, output)
            if slice_:
                return self._place(where, slice_, "- (all driven as expected)")
        return self._place(
            "- (all codes as expected: slices or planes are summed wrongly)",
            input_="- (all driven as expected)",
        )

    def _wrong_code(self, wanted: NDArray[np.int64], found: NDArray[np.int64], output: int) -> str:
        """Say which slice of an output has another code [converters, groups]; empty: none."""
        config = self._config
        adc, group = divmod(output, self._groups)
        converters = np.arange(config.array.slices) * config.converter.adcs + adc
        if config.unit_columns:
            converters = np.append(converters, config.converters - 1)
        wrong = np.flatnonzero((found != wanted)[converters, group])
        if not wrong.size:
            return ""
        s, converter = int(wrong[0]), converters[wrong[0]]
        codes = f"is {found[converter, group]}, expected {wanted[converter, group]}"
        if s < config.array.slices:
            return f"{s} (code {codes})"
        return f"- (code of the unit column {codes})"

    def _place(self, plane: str, slice_: str = "-", input_: str = "-") -> list[str]:
        return [
            f"  plane         {plane}",
            f"  slice         {slice_}",
            f"  {self._input:13} {input_}",
        ]
