"""Time of a non-ideal product beyond the matrix products that it needs.

One array of 512 rows and 512 differential columns (1024 bit lines), one slice, one plane, a batch
of 128 vectors, 8-bit inputs and ADCs, with programming error and read noise. Two matrix products
are needed: one for the currents and one for the variances of their noise.
"""

import argparse
import functools
import time
from collections.abc import Callable

import numpy as np

from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.physics import Physics
from tests.support.configs import THREE_BITS

CONVERTERS = {"adc_offset": 0.5, "adc_gain": 0.01, "adc_inl": 0.5, "adc_dnl": 0.5}


def config(physics: Physics, size: int) -> ChipConfig:
    square = THREE_BITS.replace(rows=size, columns=size, adcs=size, physics=physics)
    return square.replace(slices=1, input_bits=8, dac_bits=8)


def milliseconds(runs: int, functions: list[Callable[[], object]]) -> list[float]:
    """Return the least time of each call, taken in turns: what other load does not explain."""
    times = np.zeros((runs + 1, len(functions)))
    for run in times:
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            run[i] = time.perf_counter() - start
    return list(1e3 * times[1:].min(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="rows and columns (512)")
    parser.add_argument("--batch", type=int, default=128, help="vectors at once (128)")
    parser.add_argument("--runs", type=int, default=50, help="repetitions, the least taken (50)")
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    vectors = rng.integers(-128, 128, (arguments.batch, arguments.size))
    weights = rng.integers(-7, 8, (arguments.size, arguments.size))
    drive = vectors.astype(np.float64)
    cells = rng.random((arguments.size, 2 * arguments.size))
    noisy = {"program_error": 0.1, "read_noise": 0.02}
    named = {
        "programming error and read noise": Physics.of(**noisy),
        "the same, and errors of every ADC": Physics.of(**noisy, **CONVERTERS),
    }
    calls: list[Callable[[], object]] = [lambda: (drive @ cells, drive @ cells)]
    for physics in named.values():
        chip = config(physics, arguments.size)
        tile = Tile(chip, Analog.programmed(chip, weights))
        steps = [chip.forward.covering_step - 3]
        calls.append(functools.partial(tile.multiply, vectors, steps))
    bare, *whole = milliseconds(arguments.runs, calls)
    print(f"two bare matrix products: {bare:.2f} ms")
    for name, total in zip(named, whole, strict=True):
        print(f"{name}: {total:.2f} ms, {total - bare:.2f} ms beyond, {total / bare:.2f} times")


if __name__ == "__main__":
    main()
