"""Whether probabilities mean what they say: reliability, expected calibration error, and the temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.special import logit as logit_of

CLIP = 1e-6
"""Probabilities closer to 0 or 1 count as this close: float32 has no digits left for them near 1."""

TEMPERATURES = (0.1, 10.0)
"""Smallest and largest that are fitted."""

CELL = 0.01  # width in logits within which voxels share their mean, for the fit

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """What was predicted and what was observed, by bins of probability from 0 to 1.

    Attributes:
        counts: voxels of each bin, ``(n_bins,)``.
        predicted: mean probability of each bin, NaN in empty ones.
        observed: share of true voxels of each bin, NaN in empty ones.
    """

    counts: Values
    predicted: Values
    observed: Values

    @property
    def expected_error(self) -> float:
        """ECE, the mean of ``|predicted - observed|`` over voxels (Naeini et al. 2015); NaN without voxels.

        Guo et al. 2017, arXiv:1706.04599, eq. 3, with the probability of the one class in the place of the confidence.
        """
        if not self.counts.any():
            return float("nan")
        return float(np.nansum(self.counts * abs(self.predicted - self.observed)) / self.counts.sum())


def reliability(probability: ArrayLike, truth: ArrayLike, n_bins: int = 20) -> Reliability:
    """Compare probabilities with what is true, in bins of equal width.

    It is :func:`monai.metrics.calibration_binning` in double precision: of millions of small probabilities in one bin,
    sums in float32 lose the digits that matter.

    Args:
        probability: from 0 to 1, any shape.
        truth: zeros and ones of the same shape.
        n_bins: how many.

    Raises:
        ValueError: for shapes that differ, fewer than one bin, or probabilities out of their range.
    """
    p, y = _as_pair(probability, truth)
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    bins = np.minimum((p * n_bins).astype(np.int64), n_bins - 1)
    counts, sums, hits = (np.bincount(bins, weights, n_bins).astype(float) for weights in (None, p, y))
    with np.errstate(invalid="ignore"):
        return Reliability(counts, sums / counts, hits / counts)


def tempered(probability: ArrayLike, temperature: float) -> NDArray[Any]:
    """Return the probabilities of logits divided by a temperature: ``sigmoid(logit(p) / T)``, Guo et al. 2017, eq. 9.

    Of two classes, that is the softmax of both logits over T. A temperature of 1 returns them as they are.

    Raises:
        ValueError: for a temperature that is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    p = np.asarray(probability)
    return p if temperature == 1 else expit(_logits(p) / temperature)


@dataclass(frozen=True)
class LogitCounts:
    """The logits of the voxels of one image, gathered in cells of 0.01, and which of them are true.

    Attributes:
        logits: mean of each cell.
        counts: voxels of each cell.
        hits: true voxels of each cell.
    """

    logits: Values
    counts: Values
    hits: Values

    @classmethod
    def of(cls, probability: ArrayLike, truth: ArrayLike) -> LogitCounts:
        """Gather the voxels of an image.

        Raises:
            ValueError: for shapes that differ, or probabilities out of their range.
        """
        p, y = _as_pair(probability, truth)
        logits = _logits(p)
        cells = np.floor((logits - logits.min(initial=0)) / CELL).astype(np.int64)
        counts, sums, hits = (np.bincount(cells, weights) for weights in (None, logits, y))
        filled = counts > 0
        return cls(sums[filled] / counts[filled], counts[filled].astype(np.float64), hits[filled].astype(np.float64))

    def loss(self, temperature: float) -> float:
        """Return the mean negative log-likelihood of a voxel at a temperature; NaN without voxels."""
        scaled = self.logits / temperature
        total = float((self.counts * np.logaddexp(0, scaled) - self.hits * scaled).sum())
        return total / float(self.counts.sum()) if self.counts.size else float("nan")


def fit_temperature(patients: Sequence[Sequence[LogitCounts]]) -> float:
    """Find the temperature of least mean negative log-likelihood, each patient and each image of one counting equally.

    The likelihood has one maximum in 1/T, so that the search, of log T within :data:`TEMPERATURES`, finds it.

    Args:
        patients: the images of each; those without voxels say nothing.

    Raises:
        ValueError: if no image has voxels.
    """
    filled = [[image for image in images if image.counts.size] for images in patients]
    filled = [images for images in filled if images]
    if not filled:
        raise ValueError("no image has voxels, so that there is no temperature to fit")

    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return float(np.mean([np.mean([image.loss(temperature) for image in images]) for images in filled]))

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def _logits(probability: NDArray[Any]) -> Values:
    clipped: Values = np.clip(probability.astype(np.float64), CLIP, 1 - CLIP)
    return np.asarray(logit_of(clipped))


def _as_pair(probability: ArrayLike, truth: ArrayLike) -> tuple[Values, Values]:
    p, y = (np.asarray(values, dtype=np.float64).ravel() for values in (probability, truth))
    if np.shape(probability) != np.shape(truth):
        raise ValueError(f"shapes differ: probability {np.shape(probability)}, truth {np.shape(truth)}")
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(f"probabilities must be from 0 to 1, got {p.min():g} to {p.max():g}")
    return p, y
