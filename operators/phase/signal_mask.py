"""Where there is signal whose phase can be used: a mask without the tools of brain extraction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

OPENING = 3.0  # mm, of the bridges of tissue between brain and scalp that are cut
CLOSING = 2.0  # mm, of the vessels at the brain's surface that are kept
HOLE = 3.0  # mm, radius of the largest holes that are filled


def signal_mask(magnitude: ArrayLike, quality: ArrayLike, voxel_size: Sequence[float]) -> Mask:
    """Return the largest part of a head that has signal and usable phase, ``(x, y, z)``, without holes.

    A threshold by Otsu on the magnitude times the quality of its phase, then bridges to the scalp are cut, as skull has
    no signal. It is no brain extraction: eyes and muscle that touch the brain may stay.

    Args:
        magnitude: ``(x, y, z)``, not negative.
        quality: of its phase, from 0 to 1, of the same shape.
        voxel_size: mm.
    """
    from skimage.filters import threshold_otsu  # takes a second to import

    values = np.asarray(magnitude, np.float32) * np.asarray(quality, np.float32)
    values = np.minimum(values, np.quantile(values, 0.98))
    found = values > 0.7 * threshold_otsu(values) if values.any() else values > 0
    opened = largest_part(_eroded(found, voxel_size, OPENING))
    grown = found & _dilated(opened, voxel_size, OPENING + max(voxel_size))
    return _filled(_closed(grown, voxel_size, CLOSING))


def without_bad_border(mask: Mask, bad: Mask) -> Mask:
    """Remove from a mask the voxels that are bad and hang together with its outside, and what that cuts off.

    Bad voxels amid good ones, such as those of a vein, stay. Of each part of the mask the largest remaining part does.
    """
    outside = ~np.pad(mask, 1)
    worn = ndimage.binary_propagation(outside, mask=outside | np.pad(bad, 1))[1:-1, 1:-1, 1:-1]
    (parts, n_parts), (wholes, n_wholes) = ndimage.label(mask & ~worn), ndimage.label(mask)
    whole_of = np.zeros(n_parts + 1, int)
    whole_of[parts] = wholes * (parts > 0)
    largest = np.zeros(n_wholes + 1, int)
    by_size = np.argsort(np.bincount(parts[parts > 0], minlength=n_parts + 1), kind="stable")
    largest[whole_of[by_size]] = by_size  # the last one stays
    return (parts > 0) & (largest[whole_of[parts]] == parts)


def without_small_holes(mask: Mask, voxel_size: Sequence[float]) -> Mask:
    """Fill holes of a mask that are no larger than a sphere of 3 mm, or than one voxel.

    The local field is lost in a sphere around each hole, which is more than what the hole holds.
    """
    holes, n_holes = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    most = max(4 / 3 * math.pi * HOLE**3 / math.prod(voxel_size), 1.0)
    is_small = np.bincount(holes.ravel(), minlength=n_holes + 1) <= most
    is_small[0] = False
    return np.asarray(mask | is_small[holes])


def largest_part(mask: Mask) -> Mask:
    """Return the largest part that hangs together by faces."""
    labels, n_labels = ndimage.label(mask)
    return mask if n_labels < 2 else labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def _eroded(mask: Mask, voxel_size: Sequence[float], depth: float) -> Mask:
    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1), sampling=voxel_size)[1:-1, 1:-1, 1:-1] > depth)


def _dilated(mask: Mask, voxel_size: Sequence[float], depth: float) -> Mask:
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=voxel_size) <= depth) if mask.any() else mask


def _closed(mask: Mask, voxel_size: Sequence[float], depth: float) -> Mask:
    margin = int(np.ceil(depth / min(voxel_size))) + 1
    grown = _dilated(np.pad(mask, margin), voxel_size, depth)
    return _eroded(grown, voxel_size, depth)[margin:-margin, margin:-margin, margin:-margin]


def _filled(mask: Mask) -> Mask:
    """Fill what is enclosed, in each plane of each axis too, as the ventricles' way out is open."""
    for axis in range(3):
        mask = np.stack([ndimage.binary_fill_holes(plane) for plane in np.moveaxis(mask, axis, 0)], axis)
    return np.asarray(ndimage.binary_fill_holes(mask))
