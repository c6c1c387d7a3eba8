"""How far a reconstructed image is from the fully sampled one: NMSE, PSNR and SSIM, of a whole volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from .named_columns import NamedColumnsMetric
from .pairs import as_pair


def normalized_mean_square_error(prediction: ArrayLike, reference: ArrayLike) -> float:
    """Return NMSE ``|x - t|^2 / |t|^2`` of magnitudes; NaN where the reference is zero.

    Args:
        prediction: of any shape.
        reference: of the same shape.

    Raises:
        ValueError: for shapes that differ.
    """
    x, t, _ = as_pair(prediction, reference)
    energy = np.square(t).sum()
    return float(np.square(x - t).sum() / energy) if energy else math.nan


def reference_psnr(prediction: ArrayLike, reference: ArrayLike) -> float:
    """Return scikit-image's PSNR in dB, ``10 log10(max(t)^2 / MSE)``; infinite for equal images.

    Arguments and errors are those of :func:`normalized_mean_square_error`; NaN where the reference is not positive.
    """
    x, t, _ = as_pair(prediction, reference)
    if not t.max() > 0:
        return math.nan
    return float(peak_signal_noise_ratio(t, x, data_range=t.max())) if (x != t).any() else math.inf


def reference_ssim(prediction: ArrayLike, reference: ArrayLike, slice_axis: int | None = -1) -> float:
    """Return scikit-image's SSIM: a uniform window of 7 voxels, the maximum of the whole reference as data range.

    As fastMRI computes it (Zbontar et al. 2018, arXiv:1811.08839): windows in two dimensions, mean over
    slices. NaN where the reference is not positive.

    Args:
        prediction: of any shape.
        reference: of the same shape, at least 7 along each axis within a slice.
        slice_axis: of the slices; windows over all axes where it is None.

    Raises:
        ValueError: for shapes that differ, or are smaller than the window.
    """
    x, t, _ = as_pair(prediction, reference)
    if not t.max() > 0:
        return math.nan
    slices = [(x, t)] if slice_axis is None else zip(*(np.moveaxis(v, slice_axis, 0) for v in (x, t)), strict=True)
    return float(np.mean([structural_similarity(b, a, data_range=t.max()) for a, b in slices]))


class ReconstructionMetrics(NamedColumnsMetric):
    """Compute NMSE, PSNR (dB) and SSIM of every volume, normalized by the reference's maximum.

    Takes magnitude images ``(b, 1, *spatial)``, or lists of ``(1, *spatial)``. Returns and collects
    ``(b, len(names))``, float32.

    Args:
        columns: of ``names``, all where it is None.
        slice_axis: of volumes, for the SSIM's windows in two dimensions; windows over all axes where it is None, and
            for images of two dimensions.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: for unknown ``columns`` or ``reduction``; when called, for images that differ in number or shape.
    """

    names: tuple[str, ...] = ("NMSE", "PSNR", "SSIM")
    spatial_dims = (2, 3)

    def __init__(
        self, columns: Sequence[str] | str | None = None, slice_axis: int | None = -1, reduction: str = "mean_batch"
    ) -> None:
        super().__init__(columns, reduction)
        self.slice_axis = slice_axis

    def _row(self, prediction: NDArray[Any], reference: NDArray[Any]) -> list[float]:
        axis = self.slice_axis if reference.ndim > 2 else None
        functions: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
            "NMSE": normalized_mean_square_error,
            "PSNR": reference_psnr,
            "SSIM": partial(reference_ssim, slice_axis=axis),
        }
        return [functions[name](prediction, reference) for name in self.names]
