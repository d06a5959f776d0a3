"""Compute what the model makes of a job's products, batch by batch, in bounded memory."""

import time

import numpy as np
from numpy.typing import NDArray

from golden.tile.analog import Analog
from golden.tile.tile import Products, Tile
from sim.job import TileJob
from spec.config import ChipConfig

BATCH_BYTES = 64 << 20
"""Memory for what the model puts out for a batch, beside which it needs some to compute."""

LARGEST_BATCH = 1024
"""Products from which on more at a time are no faster."""


class Foreseen:
    """Products of the model, asked for in order.

    Parameters
    ----------
    job
        What is multiplied.
    analog
        Physics of the model, in the state before the products; it is drawn from.

    Attributes
    ----------
    size
        Products of a batch; the last has fewer.
    clips_high, clips_low, saturations
        Counted in the batches so far.
    seconds, cpu_s
        Wall clock time and processor time that the model took so far.
    """

    def __init__(self, job: TileJob, analog: Analog):
        self._job = job
        self._tile = Tile(job.config, analog)
        self.size = batch_size(job.config, transposed=job.transposed)
        self._start = self._stop = 0
        self._vectors: NDArray[np.int64]
        self._products: Products
        self.clips_high = self.clips_low = self.saturations = 0
        self.seconds = self.cpu_s = 0.0

    def results(self, number: int, count: int) -> NDArray[np.int64]:
        """Return the results [count, outputs] from a product of this batch or the next on.

        All must be of the same batch.
        """
        place = self._place(number)
        assert place + count <= self._stop - self._start
        return self._products.results[place : place + count]

    def codes(self, number: int) -> NDArray[np.int64]:
        """Return the ADC codes [planes, converters, groups] of such a product."""
        place = self._place(number)
        return self._products.codes[place]

    def vector(self, number: int) -> NDArray[np.int64]:
        """Return the inputs [inputs] of such a product."""
        place = self._place(number)
        return self._vectors[place]

    def _place(self, number: int) -> int:
        """Return the place of a product in its batch, which is computed if it is the next."""
        assert self._start <= number < self._stop + self.size
        if number >= self._stop:
            began, began_cpu = time.perf_counter(), time.process_time()
            self._compute()
            self.seconds += time.perf_counter() - began
            self.cpu_s += time.process_time() - began_cpu
        return number - self._start

    def _compute(self) -> None:
        job = self._job
        self._start, self._stop = self._stop, min(self._stop + self.size, len(job.vectors))
        self._vectors, steps = job.batch(self._start, self._stop)
        products = self._tile.multiply(self._vectors, steps, transposed=job.transposed)
        self.clips_high += int(products.clips_high.sum())
        self.clips_low += int(products.clips_low.sum())
        self.saturations += int(products.saturations.sum())
        self._products = products


def batch_size(config: ChipConfig, *, transposed: bool) -> int:
    """Return how many products of a tile are computed together."""
    conversions = config.planes * config.converters * config.direction(transposed).groups
    # A code, a held value and whether it is beyond the range.
    each = conversions * (8 + 8 + 1)
    return max(1, min(LARGEST_BATCH, BATCH_BYTES // each))
