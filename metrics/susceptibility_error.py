"""How far a susceptibility map is from the truth: norms of the difference, in the whole and by region."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import fftconvolve

from .pairs import Volume, as_pair, demeaned_pair, masked_pair

REGION_ERRORS = ("bias", "rmse", "mean", "true_mean")
"""What :func:`region_errors` tells of each region."""


def root_mean_square_error(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return RMSE in percent, ``100 |x - t| / |t|``, of the 2016 reconstruction challenge.

    Langkammer et al. 2018, Magn Reson Med 79:1661, doi:10.1002/mrm.26830. Nothing is subtracted from either map, so
    that a wrong reference value counts. NaN where the truth is zero.

    Args:
        prediction: ppm, ``(x, y, z)``.
        truth: ppm, of the same shape.
        mask: what is outside is set to zero.

    Raises:
        ValueError: for shapes that differ.
    """
    return _percent(*masked_pair(prediction, truth, mask))


def high_frequency_error(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return HFEN in percent: the error of :func:`root_mean_square_error` after a Laplacian of a Gaussian.

    As in the 2016 challenge: 15 voxels along each axis, standard deviation 1.5 voxels, zeros outside of the volume, no
    other normalization. Arguments are those of :func:`root_mean_square_error`.
    """
    kernel = _laplacian_of_gaussian()
    return _percent(*(fftconvolve(volume, kernel, "same") for volume in masked_pair(prediction, truth, mask)))


def demeaned_error(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None, detrend: bool = False
) -> float:
    """Return NRMSE in percent after the means inside of the mask are subtracted, as the reference value is arbitrary.

    As in the second challenge: QSM Challenge 2.0 Organization Committee 2021, Magn Reson Med 86:1241,
    doi:10.1002/mrm.28754.

    Args:
        prediction: ppm, ``(x, y, z)``.
        truth: ppm, of the same shape.
        mask: only what is inside counts; all voxels if it is None.
        detrend: also divide the prediction by the slope of its linear regression on the truth.

    Raises:
        ValueError: for shapes that differ or an empty mask.
    """
    x, t, inside = demeaned_pair(prediction, truth, mask)
    x, t = x[inside], t[inside]
    slope = x @ t / (t @ t) if detrend and t.any() else 1.0
    return _percent(x / slope if slope else x, t)


def region_errors(
    prediction: ArrayLike, truth: ArrayLike, labels: ArrayLike, regions: Mapping[str, int]
) -> dict[str, dict[str, float]]:
    """Describe the error in each region of a label map.

    Args:
        prediction: ppm, ``(x, y, z)``.
        truth: ppm, of the same shape.
        labels: integers, of the same shape.
        regions: label of each name.

    Returns:
        By name, in ppm: ``bias`` (mean of the difference), ``rmse`` (root mean square of it), ``mean`` (of the
        prediction), ``true_mean``; NaN for regions that are not there.

    Raises:
        ValueError: for shapes that differ.
    """
    (x, t, _), numbers = as_pair(prediction, truth, labels), np.asarray(labels)
    return {name: _describe(x[numbers == label], t[numbers == label]) for name, label in regions.items()}


def _describe(x: Volume, t: Volume) -> dict[str, float]:
    if not x.size:
        return dict.fromkeys(REGION_ERRORS, math.nan)
    values = (x - t).mean(), np.sqrt(np.square(x - t).mean()), x.mean(), t.mean()
    return dict(zip(REGION_ERRORS, map(float, values), strict=True))


def _percent(x: Volume, t: Volume) -> float:
    norm = np.linalg.norm(t)
    return float(100 * np.linalg.norm(x - t) / norm) if norm else math.nan


def _laplacian_of_gaussian(size: int = 15, sigma: float = 1.5) -> Volume:
    """Sample the Laplacian of a normalized Gaussian and subtract the mean."""
    squared = np.sum(np.square(np.indices((size,) * 3) - size // 2), 0)
    gaussian = np.exp(-squared / (2 * sigma**2))
    laplacian = gaussian / gaussian.sum() * (squared - 3 * sigma**2) / sigma**4
    return np.asarray(laplacian - laplacian.mean())
