"""PSNR and SSIM of super-resolved volumes, by the convention of their literature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from skimage.metrics import mean_squared_error, structural_similarity
from torch import Tensor

from .named_columns import NamedColumnsMetric

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
    x, t, inside = _volumes(prediction, truth, mask)
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
    x, t, inside = _volumes(prediction, truth, mask)
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

    def __init__(
        self, columns: Sequence[str] | str | None = None, peak: float = 1.0, reduction: str = "mean_batch"
    ) -> None:
        super().__init__(columns, reduction)
        self.peak = peak

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **_: Any) -> Tensor:
        fits = y is not None and y_pred.ndim == 5 and y_pred.shape[1] == 1 and y.shape[1] in (1, 2)
        if y is None or not fits or y_pred.shape[2:] != y.shape[2:] or len(y_pred) != len(y):
            shapes = f"{tuple(y_pred.shape)} and {None if y is None else tuple(y.shape)}"
            raise ValueError(f"volumes must have shapes (b, 1, x, y, z) and (b, 1 or 2, x, y, z), got {shapes}")
        predictions, truths = (t.detach().as_subclass(Tensor).double().cpu().numpy() for t in (y_pred, y))
        pairs = zip(predictions, truths, strict=True)
        rows = [[self._measure(name, p[0], *t) for name in self.names] for p, t in pairs]
        return torch.tensor(rows, dtype=torch.float32, device=y_pred.device)

    def _measure(
        self, name: str, prediction: NDArray[Any], truth: NDArray[Any], mask: NDArray[Any] | None = None
    ) -> float:
        measure = psnr if name.startswith("PSNR") else ssim
        if not name.endswith("-brain"):
            return measure(prediction, truth, None, self.peak)
        return math.nan if mask is None else measure(prediction, truth, mask, self.peak)


def _volumes(
    prediction: ArrayLike, truth: ArrayLike, mask: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    x, t = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    inside = np.ones(t.shape, bool) if mask is None else np.asarray(mask) != 0
    if not x.shape == t.shape == inside.shape:
        raise ValueError(f"shapes differ: prediction {x.shape}, truth {t.shape}, mask {inside.shape}")
    return x, t, inside
