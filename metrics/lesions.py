"""Lesion-wise metrics as MONAI metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray
from torch import Tensor

from .lesion_matching import check_matching, match_lesions
from .lesion_rates import NO_LESIONS, Numerator, check_numerator, check_size_range
from .named_columns import NamedColumnsMetric


class LesionMetrics(NamedColumnsMetric):
    """Compute lesion-wise metrics of binary masks in one pass; the columns are all of ``names``, or those chosen.

    Takes masks of shape ``(b, 1, *spatial)``, or lists of masks of shape ``(1, *spatial)``; returns and
    collects values of shape ``(b, len(names))``, float32. Undefined values are NaN and left out of means:
    LTPR without true lesions, LPPV without predicted lesions, DSC and L-F1 without both. Volumes use the
    affine of the true mask, else of the predicted mask, if they are MetaTensors, else 1 mm^3 per voxel.

    Metrics that see the same masks with the same matching options share one search for lesions.

    Args:
        columns: such as ``"DSC"`` or ``["LTPR", "LPPV"]``; all where it is None.
        numerator: what LPPV counts, see :meth:`LesionMatch.positive_predictive_value`.
        connectivity: 6, 18 or 26, see :func:`match_lesions`.
        min_overlap: voxels to be covered for a hit, see :func:`match_lesions`.
        min_volume: voxels below which a component is erased from its mask, see :func:`match_lesions`.
        size_range: lower (inclusive) and upper (exclusive) volume in mm^3 of the lesions that count, see
            :meth:`LesionMatch.within`; DSC, which has no such part, is then NaN.
        reduction: how :meth:`aggregate` reduces, a mode of MONAI; ``"mean_batch"`` is the mean over cases.

    Raises:
        ValueError: for an option out of its range; when called, for masks that differ in number or shape,
            have several channels, or hold other values than 0 and 1; for aggregating before any call.
    """

    images = "masks"
    names: tuple[str, ...] = tuple(NO_LESIONS.as_row())

    def __init__(
        self,
        columns: Sequence[str] | str | None = None,
        numerator: Numerator = "predicted",
        connectivity: int = 26,
        min_overlap: int = 1,
        min_volume: int = 0,
        size_range: tuple[float, float] = (0, math.inf),
        reduction: str = "mean_batch",
    ) -> None:
        super().__init__(columns, reduction)
        check_numerator(numerator)
        check_matching(connectivity, min_overlap, min_volume)
        check_size_range(size_range)
        self.numerator = numerator
        self.matching = {"connectivity": connectivity, "min_overlap": min_overlap, "min_volume": min_volume}
        self.size_range = size_range

    def _cases(self, y_pred: Tensor, y: Tensor) -> Iterable[tuple[Any, ...]]:
        volumes = _voxel_volumes(y if isinstance(y, MetaTensor) else y_pred)
        return zip(_to_arrays(y_pred), _to_arrays(y), volumes, strict=True)

    def _row(self, prediction: NDArray[Any], truth: NDArray[Any], voxel_volume: float) -> list[float]:
        match = match_lesions(prediction, truth, voxel_volume, **self.matching)
        row = match.within(*self.size_range).as_row(self.numerator)
        return [row[name] for name in self.names]


def _to_arrays(masks: Tensor) -> list[NDArray[Any]]:
    return list(masks.detach().as_subclass(Tensor)[:, 0].cpu().numpy())


def _voxel_volumes(masks: Tensor) -> list[float]:
    """Return mm^3 per voxel (in 2D, mm^2 per pixel) of each item of a batch."""
    n_items, spatial_dims = len(masks), masks.ndim - 2
    if not isinstance(masks, MetaTensor):
        return [1.0] * n_items
    affines = np.asarray(masks.affine.cpu(), dtype=np.float64)
    edges = affines[..., :-1, :spatial_dims]
    volumes = np.sqrt(np.linalg.det(np.swapaxes(edges, -1, -2) @ edges))
    # Oblique affines give 0.9999999 for 1 mm^3, which would put lesions on the wrong side of a size limit.
    return [float(f"{volume:.6g}") for volume in np.broadcast_to(volumes, n_items)]
