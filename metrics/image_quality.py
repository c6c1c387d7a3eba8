"""PSNR and SSIM of super-resolved volumes, by the convention of their literature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray
from skimage.metrics import mean_squared_error, structural_similarity

from .named_columns import NamedColumnsMetric
from .pairs import as_pair

Array = NDArray[Any]

SIGMA = 1.5  # voxels, of the Gaussian window, which scikit-image makes 11 voxels wide


def psnr(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None, peak: float = 1.0) -> float:
    """Return the peak signal-to-noise ratio, ``10 log10(peak^2 / MSE)``, in dB; infinite for equal volumes.

    Args:
        prediction: ``(x, y, z)``.
        truth: of the same shape, from 0 to ``peak``.
        mask: where errors count; in the literature everywhere, background included. NaN if it is empty.
        peak: of intensities; 1 in the literature, where the whole volume is mapped to 0..1.

    Raises:
        ValueError: for shapes that differ.
    """
    x, t, inside = as_pair(prediction, truth, mask)
    if not inside.any():
        return math.nan
    error = float(mean_squared_error(t[inside], x[inside]))
    return 10 * math.log10(peak**2 / error) if error else math.inf


def ssim(prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None, peak: float = 1.0) -> float:
    """Return the structural similarity in a Gaussian window of 11^3 voxels, standard deviation 1.5 voxels.

    Wang et al. 2004, IEEE Trans Image Process 13:600, doi:10.1109/TIP.2003.819861, with K = (0.01, 0.03), by
    scikit-image. The mean is over the voxels whose window lies within the volume, or over those of the mask. The
    papers on brain super-resolution do not say whether their window is of two or three dimensions.

    Arguments are those of :func:`psnr`.

    Raises:
        ValueError: for shapes that differ, or a volume smaller than the window.
    """
    x, t, inside = as_pair(prediction, truth, mask)
    options = {"gaussian_weights": True, "sigma": SIGMA, "use_sample_covariance": False, "data_range": peak}
    mean, similarity = structural_similarity(x, t, full=True, **options)
    if mask is None:
        return float(mean)
    return float(similarity[inside].mean()) if inside.any() else math.nan


class SuperResolutionMetrics(NamedColumnsMetric):
    """Compute PSNR (dB) and SSIM over the whole volume and over the brain: all of ``names``, or those chosen.

    Takes predictions of shape ``(b, 1, x, y, z)``, or lists of ``(1, x, y, z)``, and truths with one channel, or with a
    brain mask as second channel, without which the columns of the brain are NaN. Intensities are those of the
    truth's normalization, 0 to ``peak``.

    Args:
        columns: of ``names``, all where it is None.
        peak: of intensities.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: for unknown ``columns`` or ``reduction``; when called, for volumes that differ in number or shape.
    """

    names: tuple[str, ...] = ("PSNR", "SSIM", "PSNR-brain", "SSIM-brain")
    images = "volumes"
    n_channels = (1, 2)
    spatial_dims = (3,)

    def __init__(
        self, columns: Sequence[str] | str | None = None, peak: float = 1.0, reduction: str = "mean_batch"
    ) -> None:
        super().__init__(columns, reduction)
        self.peak = peak

    def _row(self, prediction: Array, truth: Array, mask: Array | None = None) -> list[float]:
        return [self._measure(name, prediction, truth, mask) for name in self.names]

    def _measure(self, name: str, prediction: Array, truth: Array, mask: Array | None) -> float:
        measure = psnr if name.startswith("PSNR") else ssim
        if not name.endswith("-brain"):
            return measure(prediction, truth, None, self.peak)
        return math.nan if mask is None else measure(prediction, truth, mask, self.peak)
