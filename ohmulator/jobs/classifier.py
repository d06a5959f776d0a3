"""Handwritten digits and a linear classifier whose weights fit a tile.

The data are the 1,797 images of 8 x 8 pixels of 0 to 16 that scikit-learn ships (UCI machine
learning repository, "Optical recognition of handwritten digits").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from ohmulator.jobs.digits import CLASSES, PIXELS, WHITE
from spec.config import ChipConfig

HELD_OUT = 540
"""Images that the classifier is not fitted on."""


@dataclass(frozen=True)
class Classifier:
    """A fitted and quantised classifier with its data.

    Attributes
    ----------
    weights
        [rows, columns], integers; class c is column c, unused rows and columns are zero.
    fit_inputs, test_inputs
        [n, rows], integers: the images it was fitted on, and those held out.
    test_labels
        [n], the digits on the latter.
    float_accuracy
        Share of the held-out images that the classifier gets right before quantisation.
    """

    weights: NDArray[np.int64]
    fit_inputs: NDArray[np.int64]
    test_inputs: NDArray[np.int64]
    test_labels: NDArray[np.int64]
    float_accuracy: float

    def accuracy(self, results: NDArray[np.int64]) -> float:
        """Return the share of results [n, columns] whose largest class is the right one."""
        return float((predictions(results) == self.test_labels).mean())


def predictions(results: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class [n] with the largest result [n, columns], the lowest where several are."""
    return results[:, :CLASSES].argmax(axis=1)


def fit(config: ChipConfig, seed: int) -> Classifier:
    """Split the images at random, fit a classifier, and quantise it for a tile.

    The configuration must be one that `ohmulator.jobs.digits.require_digits` accepts.
    """
    images, labels = load_digits(return_X_y=True)
    fit_x, test_x, fit_y, test_y = train_test_split(
        images, labels, test_size=HELD_OUT, random_state=seed, stratify=labels
    )
    # Strong regularisation: weights of similar size lose least when rounded. Without an
    # intercept the classifier is a matrix, which is all that a tile holds.
    model = LogisticRegression(C=0.01, fit_intercept=False, max_iter=1000).fit(fit_x, fit_y)
    matrix = model.coef_.T

    weights = np.zeros((config.array.rows, config.array.columns), np.int64)
    scaled = matrix * (config.weight_range[1] / np.abs(matrix).max())
    weights[:PIXELS, :CLASSES] = np.floor(scaled + 0.5)

    brightest = min(WHITE, config.input_range[1])

    def inputs(pixels: NDArray[np.float64]) -> NDArray[np.int64]:
        padded = np.zeros((len(pixels), config.array.rows), np.int64)
        padded[:, :PIXELS] = np.floor(pixels * (brightest / WHITE) + 0.5)
        return padded

    return Classifier(
        weights,
        inputs(fit_x),
        inputs(test_x),
        test_y,
        float((model.predict(test_x) == test_y).mean()),
    )
