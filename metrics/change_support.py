"""What the images say of voxels that a mask gained or lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NEIGHBORS = np.ones((3, 3, 3), bool)
RING = 3  # voxels around what changed, with which its intensities are compared

Mask = NDArray[np.bool_]
Box = tuple[slice, ...]


@dataclass(frozen=True)
class IntensityChange:
    """By how much places became brighter than what surrounds them.

    Attributes:
        difference: ``(x, y, z)``, intensities of the later visit minus those of the earlier; NaN outside of tissue,
            None where there are no images.
        lesions: voxels that are lesion at any of both visits, with which nothing is compared.
    """

    difference: NDArray[np.floating] | None
    lesions: Mask

    def rise(self, region: Mask, box: Box) -> float:
        """Return the mean difference in ``region``, minus the median in 3 voxels around it; NaN where nothing is known.

        Args:
            region: part of the volume in ``box``.
            box: where it is.
        """
        if self.difference is None or not np.isfinite(self.difference[box][region]).any():
            return np.nan
        wide = tuple(slice(max(side.start - RING, 0), side.stop + RING) for side in box)
        placed = np.zeros(self.lesions[wide].shape, bool)
        placed[_within(box, wide)] = region
        around = ndimage.binary_dilation(placed, NEIGHBORS, iterations=RING) & ~self.lesions[wide]
        values = self.difference[wide][around]
        surroundings = np.nanmedian(values) if np.isfinite(values).any() else 0.0
        return float(np.nanmean(self.difference[box][region]) - surroundings)


def regions_beyond(mask: Mask, other: Mask) -> list[tuple[Mask, Box]]:
    """Return the connected parts of ``mask`` that are more than one voxel from ``other``, and the box of each."""
    labels, _ = ndimage.label(mask & ~ndimage.binary_dilation(other, NEIGHBORS), NEIGHBORS)
    return [(labels[box] == number, box) for number, box in enumerate(ndimage.find_objects(labels), start=1)]


def placed_in(box: Box, outer: Box) -> Box:
    """Return ``box``, which counts from where ``outer`` begins, as a box of the whole volume."""
    return tuple(slice(a.start + b.start, a.stop + b.start) for a, b in zip(box, outer, strict=True))


def _within(box: Box, wide: Box) -> Box:
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, wide, strict=True))
