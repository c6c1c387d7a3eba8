"""Lesions that lie in white matter and stand out on the FLAIR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu

from .keyed import of_options
from .lesion_masks import NEIGHBORS, LesionMaskd, checked_images

BINS = 40  # of the T1w, with equally many voxels each
UPPER = 0.9  # quantile of a lesion's deviations that must stand out


def keep_white_matter_lesions(
    lesions: ArrayLike,
    flair: ArrayLike,
    t1w: ArrayLike,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    share: float = 0.5,
    deviations: float = 3.0,
    margin: float = 3.0,
) -> NDArray[np.bool_]:
    """Drop each lesion that white matter does not surround, or that is no outlier on the FLAIR.

    Cortex, above all that of insula and cingulum, and choroid plexus can be as bright on the FLAIR as lesions are. They
    differ in two things. What is around them is white matter to a smaller part: a lesion stays if of the brain within
    ``margin``, other lesions left out, more than ``share`` is white matter, the brightest of three classes of the T1w
    (Otsu's thresholds). And their FLAIR is usual for their T1w: with median and median absolute deviation of the FLAIR
    among all voxels of like T1w, the 0.9 quantile of a lesion has to be more than ``deviations`` robust standard
    deviations above the median. Schmidt et al. 2012, NeuroImage 59:3774, doi:10.1016/j.neuroimage.2011.11.032, find
    outliers of each tissue class in a like way, and Roura et al. 2015, Neuroradiology 57:1031,
    doi:10.1007/s00234-015-1552-2, ask for a share of white matter around a lesion.

    Args:
        lesions: mask ``(x, y, z)``; lesions are its parts, connected by faces, edges or corners.
        flair: of the same shape, in any unit; zero outside of the brain.
        t1w: likewise.
        spacing: of voxels, in mm.
        share: of white matter around a lesion, from 0 to below 1; the default is a majority.
        deviations: robust standard deviations.
        margin: mm around a lesion.

    Returns:
        Mask of the same shape, a part of ``lesions``.

    Raises:
        ValueError: if ``share`` is not from 0 to below 1, ``margin`` is not positive, or shapes differ.
    """
    if not (0 <= share < 1 and margin > 0):
        raise ValueError(f"share must be from 0 to below 1 and margin positive, got {share=}, {margin=}")
    mask, bright, anatomy, brain = checked_images(lesions, flair, t1w)
    if not mask.any() or len(np.unique(anatomy[brain])) < 3:  # no three classes
        return mask
    white = brain & (anatomy > threshold_multiotsu(anatomy[brain], classes=3)[-1])
    unusual = _deviations(bright, anatomy, brain)
    parts, n_parts = ndimage.label(mask, NEIGHBORS)
    padding = [int(np.ceil(margin / size)) for size in spacing]
    stays = np.zeros(n_parts + 1, bool)
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        near = tuple(slice(max(side.start - pad, 0), side.stop + pad) for side, pad in zip(box, padding, strict=True))
        lesion = parts[near] == number
        around = brain[near] & ~mask[near] & (ndimage.distance_transform_edt(~lesion, spacing) <= margin)
        is_surrounded = np.count_nonzero(white[near] & around) > share * np.count_nonzero(around)
        stays[number] = is_surrounded and np.quantile(unusual[near][lesion], UPPER) > deviations
    kept: NDArray[np.bool_] = stays[parts]
    return kept


def _deviations(flair: NDArray[np.float32], t1w: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return robust z-scores of the FLAIR among voxels of like T1w; 0 outside of the brain."""
    values, anatomy = flair[brain], t1w[brain]
    scores = np.zeros_like(values)
    for voxels in np.array_split(np.argsort(anatomy, kind="stable"), BINS):
        if voxels.size:
            excess = values[voxels] - np.median(values[voxels])
            sigma = 1.4826 * np.median(np.abs(excess))  # of a normal distribution
            scores[voxels] = excess / max(sigma, np.finfo(np.float32).tiny)
    out = np.zeros_like(flair)
    out[brain] = scores
    return out


class KeepWhiteMatterLesionsd(LesionMaskd):
    """Dictionary version of :func:`keep_white_matter_lesions`."""

    array = of_options(keep_white_matter_lesions)
