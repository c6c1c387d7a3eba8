"""How similar a susceptibility map is to the truth: SSIM, XSIM and PSNR."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .pairs import Volume, masked_pair

SIGMA = 1.5  # voxels, of the Gaussian window


def challenge_ssim(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the structural similarity of the 2016 reconstruction challenge.

    Langkammer et al. 2018, Magn Reson Med 79:1661, doi:10.1002/mrm.26830: both maps on a scale from 0 to 255 that they
    share (see :func:`challenge_psnr`), Wang's SSIM with K = (0.01, 0.03) and a Gaussian window of 5 voxels, zeros
    outside of the volume, mean over the voxels where the prediction is not zero. NaN where it is zero everywhere.

    Args:
        prediction: ppm, ``(x, y, z)``, zero outside of the brain.
        truth: ppm, of the same shape.
        mask: what is outside is set to zero.

    Raises:
        ValueError: for shapes that differ.
    """
    x, t = _common_scale(*masked_pair(prediction, truth, mask))
    return _mean_where(_similarity(x, t, 2, "constant", (0.01 * 255) ** 2, (0.03 * 255) ** 2), x != 0)


def challenge_psnr(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the peak signal-to-noise ratio (dB) of the 2016 reconstruction challenge.

    The smallest value of both maps is subtracted from their voxels that are not zero, both are divided by the largest
    value then left and multiplied by 255, the peak. The mean is over the whole volume, so that it grows with the
    background: 49 dB go with an RMSE of 32 %. Arguments are those of :func:`challenge_ssim`.
    """
    x, t = _common_scale(*masked_pair(prediction, truth, mask))
    error = np.square(x - t).mean()
    return float(10 * np.log10(255**2 / error)) if error else math.inf


def xsim(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Return the structural similarity for susceptibility, XSIM.

    Milovic et al. 2025, Magn Reson Med, doi:10.1002/mrm.30271: SSIM of the maps in ppm, with K = (0.01, 0.001),
    a dynamic range of 1 ppm and a Gaussian window of 7 voxels, the outermost voxels repeated; mean over the voxels
    where the truth is not zero. Arguments are those of :func:`challenge_ssim`.
    """
    x, t = masked_pair(prediction, truth, mask)
    return _mean_where(_similarity(x, t, 3, "nearest", 0.01**2, 0.001**2), t != 0)


def _common_scale(x: Volume, t: Volume) -> tuple[Volume, Volume]:
    low = min(x.min(), t.min())
    x, t = (np.where(volume != 0, volume - low, 0) for volume in (x, t))
    high = max(x.max(), t.max())
    return (x / high * 255, t / high * 255) if high else (x, t)


def _similarity(x: Volume, t: Volume, radius: int, border: str, c1: float, c2: float) -> Volume:
    """Return the map of Wang et al. 2004, IEEE Trans Image Process 13:600, Eq. 13."""

    def smooth(volume: Volume) -> Volume:
        return np.asarray(ndimage.gaussian_filter(volume, SIGMA, mode=border, radius=radius))

    mean_x, mean_t = smooth(x), smooth(t)
    variance_x, variance_t = smooth(x * x) - mean_x**2, smooth(t * t) - mean_t**2
    covariance = smooth(x * t) - mean_x * mean_t
    above = (2 * mean_x * mean_t + c1) * (2 * covariance + c2)
    return np.asarray(above / ((mean_x**2 + mean_t**2 + c1) * (variance_x + variance_t + c2)))


def _mean_where(values: Volume, where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else math.nan
