"""Pictures of results."""

import io
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from golden import cli
from golden.config import ChipConfig


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    plt.close(figure)
    cli.write_whole(path, buffer.getvalue())


def digits(
    config: ChipConfig,
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    held: NDArray[np.float64],
    steps: NDArray[np.int64],
    accuracy: float,
) -> Figure:
    """Draw the confusion matrix beside the column currents of each slice in their ADC's range.

    `held` [n, planes, converters, groups] in units, `steps` [steps], labels and predictions [n].
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, predicted), 1)
    left.imshow(matrix, cmap="Blues")
    for row, column in np.ndindex(matrix.shape):
        if count := matrix[row, column]:
            colour = "white" if count > matrix.max() / 2 else "black"
            left.text(column, row, count, ha="center", va="center", color=colour)
    left.set(xlabel="class from the Verilog", ylabel="digit", xticks=range(10), yticks=range(10))
    left.set_title(f"{len(labels)} held-out images, {accuracy:.1%} right")

    microamperes = config.unit_a * 1e6
    arrays = held[:, :, : config.slices * config.adcs].reshape(-1, config.slices, config.columns)
    for s in range(config.slices):
        values = arrays[:, s, :10].ravel() * microamperes
        colour = f"C{s}"
        label = f"slice {s}, ADC step {1 << steps[s]} units"
        right.hist(values, bins=120, histtype="step", color=colour, label=label)
        width = microamperes * (1 << steps[s])
        ends = (-(1 << (config.adc_bits - 1)) - 0.5, (1 << (config.adc_bits - 1)) - 0.5)
        for end in ends:
            right.axvline(end * width, color=colour, linestyle="--", linewidth=1)
    right.set(xlabel="column current (µA)", ylabel="conversions", yscale="log")
    right.set_title(f"currents of 10 columns; dashed: range of the {config.adc_bits}-bit ADCs")
    right.legend()
    return figure
