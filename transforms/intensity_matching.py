"""Intensities of visits brought to one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.floating]
MAD_TO_SD = 1.4826
SMOOTHING = 1.5  # mm; noise would widen the distribution of the noisier visit
QUARTILES = (25, 50, 75)


def match_intensities(images: Sequence[Volume], tissue: NDArray[np.bool_], voxel_size: Sequence[float]) -> list[Volume]:
    """Scale and shift images of one head so that all have the same median and quartile range in its tissue.

    ``(x - median_i) / range_i * mean(range) + mean(median)``, with quartiles of images smoothed by 1.5 mm. Half of the
    tissue may change without much effect on quartiles; lesions are to be left out of it nevertheless. No image is
    preferred.

    Args:
        images: ``(x, y, z)`` of one contrast, on one grid.
        tissue: voxels on which the scale is measured, the same for all images.
        voxel_size: mm.

    Raises:
        ValueError: if an image has one value only in most of the tissue.
    """
    widths = [SMOOTHING / size for size in voxel_size]
    quartiles = np.array([np.percentile(ndimage.gaussian_filter(x, widths)[tissue], QUARTILES) for x in images])
    ranges, medians = quartiles[:, 2] - quartiles[:, 0], quartiles[:, 1]
    if not (ranges > 0).all():
        raise ValueError(f"images must vary within the tissue, got quartile ranges {ranges.tolist()}")
    scales = ranges.mean() / ranges
    return [(x - m) * s + medians.mean() for x, m, s in zip(images, medians, scales, strict=True)]


def standardized_difference(earlier: Volume, later: Volume, tissue: NDArray[np.bool_]) -> Volume:
    """Return ``later - earlier`` in robust standard deviations (1.4826 times the median deviation) in the tissue.

    Args:
        earlier: ``(x, y, z)``.
        later: the same at the later visit, matched to it.
        tissue: voxels that should not have changed, most of them.
    """
    difference = later - earlier
    center = np.median(difference[tissue])
    spread = MAD_TO_SD * float(np.median(abs(difference[tissue] - center)))
    return (difference - center) / max(spread, float(np.finfo(np.float32).tiny))
