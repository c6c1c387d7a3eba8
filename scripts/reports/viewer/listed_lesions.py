"""The list of lesions beside the pictures of a page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class ListedLesion:
    """A lesion of the list.

    Attributes:
        number: in the order of volumes, the largest is 1.
        volume_ml: in ml.
        center: of its voxel nearest to the center of mass (RAS, mm).
        place: such as ``periventricular``, empty if it is not known.
        probability: mean over the lesion, NaN if it is not known.
    """

    number: int
    volume_ml: float
    center: tuple[float, float, float]
    place: str = ""
    probability: float = math.nan


def list_lesions(
    mask: NDArray[Any], affine: NDArray[np.float64], probability: NDArray[Any] | None = None
) -> list[ListedLesion]:
    """List the connected parts (26 neighbors) of a mask ``(x, y, z)``, the largest first."""
    labels, _ = ndimage.label(mask > 0, np.ones((3, 3, 3)))
    voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    found = []
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        voxels = np.argwhere(labels[box] == label) + [extent.start for extent in box]
        mean = math.nan if probability is None else float(probability[tuple(voxels.T)].mean())
        found.append((len(voxels), _center(voxels, affine), mean))
    found.sort(key=lambda lesion: -lesion[0])
    return [
        ListedLesion(number, n_voxels * voxel_ml, center, probability=mean)
        for number, (n_voxels, center, mean) in enumerate(found, start=1)
    ]


def _center(voxels: NDArray[np.int_], affine: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the voxel nearest to the center of mass: that of a bent lesion lies outside of it."""
    distance = np.linalg.norm((voxels - voxels.mean(axis=0)) @ affine[:3, :3].T, axis=1)
    x, y, z = (affine @ [*voxels[distance.argmin()], 1])[:3].tolist()
    return x, y, z
