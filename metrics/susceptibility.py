"""Errors of susceptibility maps as MONAI metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .named_columns import NamedColumnsMetric
from .susceptibility_error import (
    REGION_ERRORS,
    demeaned_error,
    high_frequency_error,
    region_errors,
    root_mean_square_error,
)
from .susceptibility_similarity import challenge_psnr, challenge_ssim, xsim

Array = NDArray[Any]
FUNCTIONS: dict[str, Callable[[Array, Array, Array], float]] = {
    "RMSE": root_mean_square_error,
    "HFEN": high_frequency_error,
    "SSIM": challenge_ssim,
    "PSNR": challenge_psnr,
    "XSIM": xsim,
    "NRMSE": demeaned_error,
    "NRMSE-detrended": lambda x, t, mask: demeaned_error(x, t, mask, detrend=True),
}


class SusceptibilityMetrics(NamedColumnsMetric):
    """Compute errors of susceptibility maps (ppm); the columns are all of ``names``, or those chosen.

    Takes predictions of shape ``(b, 1, x, y, z)``, or lists of ``(1, x, y, z)``, and truths with one channel, or with
    a mask or label map as second channel, whose zeros are outside. Returns and collects ``(b, len(names))``, float32.
    RMSE, HFEN and the NRMSE are in percent of the truth, PSNR in dB.

    Args:
        columns: of ``names``, all where it is None.
        demean: subtract the mean inside of the mask from both maps first; only the NRMSE always do.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: for unknown ``columns`` or ``reduction``; when called, for maps that differ in number or shape.
    """

    names: tuple[str, ...] = tuple(FUNCTIONS)
    images = "maps"
    n_channels = (1, 2)
    spatial_dims = (3,)

    def __init__(
        self, columns: Sequence[str] | str | None = None, demean: bool = False, reduction: str = "mean_batch"
    ) -> None:
        super().__init__(columns, reduction)
        self.demean = demean

    def _row(self, prediction: Array, truth: Array, labels: Array | None = None) -> list[float]:
        mask = np.ones(truth.shape, bool) if labels is None else labels != 0
        if self.demean and mask.any():
            prediction, truth = (volume - volume[mask].mean() for volume in (prediction, truth))
        return [FUNCTIONS[name](prediction, truth, mask) for name in self.names]


class RegionErrors(NamedColumnsMetric):
    """Compute bias and root mean square error (ppm) by region: columns like ``pallidum_bias``, ``pallidum_rmse``.

    The truth's second channel is the label map; all else is as in :class:`SusceptibilityMetrics`.

    Args:
        regions: label of each name.
        errors: of :func:`region_errors`, such as ``("bias",)`` for one column a region.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI.

    Raises:
        ValueError: if there are no regions, or an error is unknown; when called, for maps that differ in number or
            shape, or no label map.
    """

    images = "maps"
    n_channels = (1, 2)
    spatial_dims = (3,)

    def __init__(
        self, regions: Mapping[str, int], errors: Sequence[str] = ("bias", "rmse"), reduction: str = "mean_batch"
    ) -> None:
        if not regions:
            raise ValueError("regions must name at least one label, got none")
        if not errors or not set(errors) <= set(REGION_ERRORS):
            raise ValueError(f"errors must be among {', '.join(REGION_ERRORS)}, got {errors}")
        self.regions = dict(regions)
        self.errors = tuple(errors)
        self.names = tuple(f"{name}_{error}" for name in regions for error in errors)
        super().__init__(reduction=reduction)

    def _row(self, prediction: Array, truth: Array, labels: Array | None = None) -> list[float]:
        if labels is None:
            raise ValueError("errors by region need a label map as second channel of the truth")
        errors = region_errors(prediction, truth, labels, self.regions)
        return [errors[name][error] for name in self.regions for error in self.errors]
