"""Lesion borders at half of the lesion's contrast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .keyed import of_options
from .lesion_masks import NEIGHBORS, LesionMaskd, checked_images

BRIGHTEST = 0.6  # quantile of T1w in the brain above which most voxels are white matter
GAP = 2  # voxels between lesions and what tells the level of white matter


def grow_to_half_maximum(
    lesions: ArrayLike,
    flair: ArrayLike,
    t1w: ArrayLike,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    level: float = 0.5,
    reach: float = 4.0,
) -> NDArray[np.bool_]:
    """Grow every lesion to where the FLAIR is halfway between white matter and the lesion's own median.

    A network that was trained on cores finds cores, while raters draw the border at the end of what is bright. The half
    of the maximum is where a sharp border of any contrast lies after blurring. Growing seeds on the FLAIR is the way of
    Schmidt et al. 2012, NeuroImage 59:3774, doi:10.1016/j.neuroimage.2011.11.032; the rule here is simpler. A lesion
    grows by half of its radius (that of a sphere of its volume) at most, so that what is small stays so, through
    voxels that are connected to it by faces, nearest to it, and brighter than its level. A lesion that is not brighter
    than white matter stays as it is.

    Args:
        lesions: mask ``(x, y, z)``; lesions are its parts, connected by faces, edges or corners.
        flair: of the same shape, in any unit; zero outside of the brain.
        t1w: likewise; its brightest voxels tell where white matter is.
        spacing: of voxels, in mm.
        level: of the border, 0 for that of white matter, 1 for that of the lesion.
        reach: mm that any lesion grows at most.

    Returns:
        Mask of the same shape, which holds all of ``lesions``.

    Raises:
        ValueError: if ``level`` is not above 0 and up to 1, ``reach`` is negative, or shapes differ.
    """
    if not (0 < level <= 1 and reach >= 0):
        raise ValueError(f"level must be above 0 and up to 1 and reach not negative, got {level=}, {reach=}")
    mask, bright, anatomy, brain = checked_images(lesions, flair, t1w)
    white = _white_matter(mask, anatomy, brain)
    if not (mask.any() and white.any()):
        return mask
    parts, n_parts = ndimage.label(mask, NEIGHBORS)
    normal, numbers = float(np.median(bright[white])), np.arange(1, n_parts + 1)
    contrast = np.asarray(ndimage.median(bright, parts, numbers)) - normal
    volumes = np.bincount(parts.ravel(), minlength=n_parts + 1)[1:] * np.prod(spacing)
    limits = np.where(contrast > 0, np.minimum((volumes * 3 / (4 * np.pi)) ** (1 / 3) / 2, reach), 0.0)
    distance, nearest = ndimage.distance_transform_edt(parts == 0, spacing, return_indices=True)
    owner = parts[tuple(nearest)] - 1
    free = brain & (distance <= limits[owner]) & (bright > normal + level * contrast[owner])
    grown: NDArray[np.bool_] = ndimage.binary_propagation(mask, mask=mask | free)
    return grown


def _white_matter(lesions: NDArray[np.bool_], t1w: NDArray[np.float32], brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not brain.any():
        return brain
    near = ndimage.binary_dilation(lesions, NEIGHBORS, iterations=GAP)
    return brain & (t1w > np.quantile(t1w[brain], BRIGHTEST)) & ~near


class GrowLesionsd(LesionMaskd):
    """Dictionary version of :func:`grow_to_half_maximum`."""

    array = of_options(grow_to_half_maximum)
