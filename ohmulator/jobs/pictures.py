"""Pictures of results."""

import io
import warnings
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from golden.converter.linearity import Linearity
from ohmulator.cli import printable
from spec.config import ChipConfig


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file, and close it."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A path in a title may have characters that the font lacks, which become boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=120)
    plt.close(figure)
    return buffer.getvalue()


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
    arrays = held[:, :, : config.array.slices * config.converter.adcs].reshape(
        -1, config.array.slices, config.array.columns
    )
    for s in range(config.array.slices):
        values = arrays[:, s, :10].ravel() * microamperes
        colour = f"C{s}"
        label = f"slice {s}, ADC step {1 << steps[s]} units"
        right.hist(values, bins=120, histtype="step", color=colour, label=label)
        width = microamperes * (1 << steps[s])
        ends = (
            -(1 << (config.converter.adc_bits - 1)) - 0.5,
            (1 << (config.converter.adc_bits - 1)) - 0.5,
        )
        for end in ends:
            right.axvline(end * width, color=colour, linestyle="--", linewidth=1)
    right.set(xlabel="column current (µA)", ylabel="conversions", yscale="log")
    right.set_title(
        f"currents of 10 columns; dashed: range of the {config.converter.adc_bits}-bit ADCs"
    )
    right.legend()
    return figure


def cells(
    config: ChipConfig, levels: NDArray[np.int64], g_s: NDArray[np.float64], slice_: int
) -> Figure:
    """Draw target and programmed conductances of one slice, their difference, and all errors.

    `levels` and `g_s` [slices, rows, bit_lines].
    """
    figure, axes = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    target_s = config.array.g_min_s + levels * config.g_step_s
    error = (g_s - target_s) / config.g_step_s
    off = np.abs(error) > 0.5
    scale = {
        "vmin": 1e6 * config.array.g_min_s,
        "vmax": 1e6 * config.array.g_max_s,
        "cmap": "viridis",
    }
    difference = {"vmin": -1, "vmax": 1, "cmap": "RdBu_r"}
    for axis, values, title, label, colours in (
        (axes[0, 0], 1e6 * target_s, "target", "conductance (µS)", scale),
        (axes[0, 1], 1e6 * g_s, "programmed", "conductance (µS)", scale),
        (axes[1, 0], error, "programmed − target", "levels", difference),
    ):
        image = axis.imshow(values[slice_], aspect="auto", interpolation="nearest", **colours)
        axis.set(title=f"{title}, slice {slice_}", xlabel="bit line", ylabel="word line")
        figure.colorbar(image, ax=axis, label=label)
    rows, lines = np.nonzero(off[slice_])
    axes[1, 0].plot(lines, rows, "o", mfc="none", mec="black", ms=7)
    axes[1, 0].set_title(f"programmed − target; circles: {len(rows)} over half a level off")

    axis, reach = axes[1, 1], max(1.0, float(np.abs(error).max()))
    bins = np.linspace(-reach, reach, 141)
    spread = f", σ {error[~off].std():.3f} levels" if not off.all() else ""
    axis.hist(error[~off], bins=bins, color="C0", label=f"{(~off).sum()} cells on target{spread}")
    axis.hist(error[off], bins=bins, color="C3", label=f"{off.sum()} over half a level off")
    for edge in (-0.5, 0.5):
        axis.axvline(edge, color="black", linestyle="--", linewidth=1)
    axis.set(xlabel="programmed − target (levels)", ylabel="cells", yscale="log")
    # Room for the legend above the bars.
    axis.set(title="error, all slices; dashed: half a level", ylim=(0.5, 30 * error.size))
    axis.legend(loc="upper left")
    return figure


def wires(volts: NDArray[np.float64], drop: NDArray[np.float64], slice_: int) -> Figure:
    """Draw the losses in the wires of a slice: voltage of each cell, current of each line.

    All word lines are driven. `volts` [rows, bit_lines] across the cells, as a share of the drive;
    `drop` [bit_lines], share of the current that is lost.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    lost = 100 * (1 - volts)
    scale = {"vmin": 0.0, "vmax": max(1.0, float(lost.max()))}
    image = left.imshow(lost, cmap="inferno", aspect="auto", interpolation="nearest", **scale)
    left.set(xlabel="bit line (drivers at the left)", ylabel="word line (sensed at the bottom)")
    left.set_title(f"voltage lost in the wires to and from each cell, slice {slice_}")
    figure.colorbar(image, ax=left, label="of the read voltage (%)")
    right.bar(np.arange(len(drop)), 100 * drop, width=1.0, color="C1")
    right.set(xlabel="bit line", ylabel="of the ideal current (%)")
    right.set_ylim(0, max(1.0, 115 * drop.max()))
    right.set_title(f"IR drop with all word lines driven: {drop.mean():.1%} on average")
    return figure


def adc(
    config: ChipConfig,
    codes: NDArray[np.int64],
    inputs: NDArray[np.float64],
    measured: Linearity,
) -> Figure:
    """Draw a transfer curve, and INL and DNL of all ADCs, the worst of them in colour.

    `inputs` [n] in ideal LSB and `codes` [n, converters]; `measured` by a ramp, which may have
    measured no errors of some or all.
    """
    known = np.isfinite(measured.offset)
    worst = int(np.where(known, np.abs(measured.inl).max(axis=1), -1).argmax())
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    axes[0].plot(inputs, np.floor(inputs + 0.5), color="0.7", label="ideal")
    axes[0].plot(inputs, codes[:, worst], color="C3", label=f"ADC {worst}")
    axes[0].set(title="transfer curve, middle of the range", xlabel="input (ideal LSB)")
    axes[0].set(ylabel="code", xlim=(-8, 8), yticks=range(-8, 9, 2))
    low = -(1 << (config.converter.adc_bits - 1))
    for axis, name, values, first in (
        (axes[1], "INL", measured.inl, low + 1),
        (axes[2], "DNL", measured.dnl, low + 1),
    ):
        at = first + np.arange(values.shape[1])
        axis.plot(at, values.T, color="0.8", linewidth=0.5, zorder=0)
        axis.plot(at, values[worst], color="C3", linewidth=1, label=f"ADC {worst}")
        axis.plot([], [], color="0.8", label=f"all {len(values)} ADCs")
        title = f"{name}, at most {np.abs(values[known]).max(initial=0):.2f} LSB"
        if not known.all():
            title += f"; {(~known).sum()} ADCs not measurable"
        axis.set(title=title, xlabel="code", ylabel=f"{name} (LSB)")
    axes[2].axhline(-1, color="black", linestyle="--", linewidth=1, label="missing code")
    for axis in axes:
        axis.legend(loc="upper left", fontsize=8)
    return figure


def sweep(
    results: Mapping[str, tuple[str, Sequence[float], NDArray[np.float64]]], title: str
) -> Figure:
    """Draw accuracies over each fault: axis label, values, accuracies [values, chips]."""
    figure, axes = plt.subplots(
        1, len(results), figsize=(3.2 * len(results), 3.8), sharey=True, layout="constrained"
    )
    for axis, (name, (label, values, accuracies)) in zip(axes, results.items(), strict=True):
        at = np.arange(len(values))
        percent = 100 * accuracies
        axis.plot(at, percent, ".", color="0.6", markersize=5)
        axis.errorbar(at, percent.mean(axis=1), percent.std(axis=1, ddof=1), color="C0", capsize=3)
        axis.set(title=name, xlabel=label, xticks=at)
        axis.set_xticklabels([f"{value:g}" for value in values])
        axis.grid(axis="y", alpha=0.4)
    axes[0].set(ylabel="digits right (%)")
    # A path in it may have dollar signs, which begin no formula.
    figure.suptitle(printable(title), parse_math=False)
    return figure
