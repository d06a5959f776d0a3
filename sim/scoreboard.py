"""Compare a tile's results with the model in order, and say where the first difference began."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.converter.dac import input_planes
from sim.foreseen import Foreseen
from spec.config import ChipConfig

REMEMBERED_PRODUCTS = 8
"""Products whose planes are kept for a report; no more are ever under way in a tile."""

NOT_FOUND = np.iinfo(np.int64).min
"""Code of an ADC that has not converted."""


class Plane(NamedTuple):
    """Remember a plane: cycle of the sample, DAC codes [inputs], ADC codes found.

    The latter are [converters, groups], and `NOT_FOUND` where there was no conversion.
    """

    cycle: int
    codes: NDArray[np.int64]
    found: NDArray[np.int64]


class SeenPlanes:
    """Remember the last planes that were seen at the boundary of a tile."""

    def __init__(self, config: ChipConfig, *, transposed: bool):
        self._shape = config.converters, config.direction(transposed).groups
        self._planes: deque[Plane] = deque(maxlen=REMEMBERED_PRODUCTS * config.planes)
        self._count = 0

    def saw_sample(self, cycle: int, codes: NDArray[np.int64]) -> None:
        """Note the DAC codes [inputs] of a plane that was sampled."""
        self._planes.append(Plane(cycle, codes, np.full(self._shape, NOT_FOUND)))
        self._count += 1

    def saw_conversion(self, group: int, codes: NDArray[np.int64]) -> None:
        """Note the codes [converters] found for a group of the plane sampled last."""
        if self._planes:
            self._planes[-1].found[:, group] = codes

    def plane(self, number: int) -> Plane | None:
        """Return a plane by its number, or None if it is not remembered, or not sampled yet."""
        at = number - (self._count - len(self._planes))
        return self._planes[at] if 0 <= at < len(self._planes) else None


class Scoreboard:
    """Check the products in order.

    Parameters
    ----------
    foreseen
        What the model makes of the vectors.
    plane
        Returns what was seen of a plane by its number, or None if nothing was.
    transposed
        Whether they are multiplied by the transposed matrix.
    kept
        Whether all results are kept.

    Attributes
    ----------
    results, expected
        Those kept, [n, outputs] each, of the RTL and of the model.
    wrong
        Number of results that differ.
    mismatch
        Where the first difference began, in words; empty if there is none.
    """

    def __init__(
        self,
        config: ChipConfig,
        foreseen: Foreseen,
        plane: Callable[[int], Plane | None],
        *,
        transposed: bool = False,
        kept: bool = True,
    ):
        self._config, self._foreseen, self._plane = config, foreseen, plane
        self._transposed, self._kept = transposed, kept
        self._groups = config.direction(transposed).groups
        # Of the matrix.
        self._input, self._output = ("column", "row") if transposed else ("row", "column")
        self._checked = 0
        self.results: list[NDArray[np.int64]] = []
        self.expected: list[NDArray[np.int64]] = []
        self.wrong = 0
        self.mismatch = ""

    def check(self, results: NDArray[np.int64], cycles: NDArray[np.int64]) -> None:
        """Compare the results [n, outputs] of the next products, complete in cycles [n].

        They are of one batch of the model, see `Foreseen.results`.
        """
        first = self._checked
        self._checked += len(results)
        expected = self._foreseen.results(first, len(results))
        if self._kept:
            self.results.append(results)
            self.expected.append(expected)
        wrong = results != expected
        self.wrong += int(np.count_nonzero(wrong))
        if self.mismatch or not wrong.any():
            return
        at = int(np.flatnonzero(wrong.any(axis=1))[0])
        output = int(np.flatnonzero(wrong[at])[0])
        lines = [
            f"mismatch: {wrong[at].sum()} of {results.shape[1]} {self._output}s differ",
            f"  configuration {self._config.whole}",
            f"  vector        {first + at}",
            *self._origin(first + at, output),
            f"  {self._output:13} {output}",
            f"  cycle         {cycles[at]}",
            f"  expected      {expected[at, output]}",
            f"  actual        {results[at, output]}",
        ]
        self.mismatch = "\n".join(lines)

    def _origin(self, number: int, output: int) -> list[str]:
        """Follow a wrong result back to the first plane, slice and input that is wrong."""
        config = self._config
        vector = self._foreseen.vector(number)[None]
        drives = input_planes(config, vector, transposed=self._transposed)[0]
        for plane in range(config.planes):
            seen = self._plane(number * config.planes + plane)
            if seen is None:
                return self._place(f"{plane} (never sampled)")
            cycle, codes, found = seen
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
