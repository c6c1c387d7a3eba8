"""Whether an image shows a head with skull and scalp, or a brain that was extracted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

N_RAYS = 600
LENGTH = 140  # mm, of a ray
BELOW_VERTEX = 70.0  # mm, from where rays start: about the middle of the cerebrum
DEEPEST = 25  # mm below the surface, up to which skull and scalp reach
GAP = 3  # mm beside the surface, which belong to neither side
INNER = slice(10, 40)  # mm from the start of the rays: tissue of the brain, which gives the unit of intensities
SURFACE = 0.15  # of that, from which on there is something
ZERO = 0.005  # of that, up to which there is nothing
MIN_VALID = 50  # rays, below which nothing can be said

MAX_AIR = 0.05  # 33 images of extracted brains have at most 0.008, 13 of heads with skull at least 0.10
MAX_DIP = 0.28  # the same have at most 0.17, and at least 0.39
MAX_DIP_WITH_AIR = 0.1  # where there is noise around the head, as no extracted brain has it

Array = NDArray[np.float32]


class SkullSigns(NamedTuple):
    """What tells a head from an extracted brain.

    Attributes:
        air: share of what lies outside of the surface that is not zero: noise, which masking takes away.
        dip: how dark it gets below the surface before it gets bright again, from 0 to 1: bone between scalp and brain.
    """

    air: float
    dip: float


def shows_skull(image: MetaTensor) -> bool:
    """Tell whether a head ``(1, x, y, z)`` was imaged with its skull, and not masked since.

    Where it cannot be told, as of some slices alone, the answer is no. What was measured: docs/brain_extraction.md.
    """
    signs = skull_signs(image)
    return signs is not None and signs.dip > (MAX_DIP_WITH_AIR if signs.air > MAX_AIR else MAX_DIP)


def skull_signs(image: MetaTensor) -> SkullSigns | None:
    """Look at a head ``(1, x, y, z)`` along rays from the middle of its brain upwards and to the sides.

    The surface is the last place along a ray that is brighter than 0.15 times the brain. Below it, the median over all
    rays at the same depth passes by sulci, which lie anywhere, and shows what all rays cross: scalp and bone. Rays that
    leave the field of view before the head are left out; so are face and neck, which some extractions keep.

    Returns:
        None where fewer than 50 rays reach a surface.
    """
    values = image.as_tensor()[0].cpu().numpy()
    affine = image.affine.numpy().astype(float)
    start = _middle_of_brain(values, affine)
    if start is None:
        return None
    profiles = _along_rays(values, affine, start)
    unit = np.nanmedian(profiles[:, INNER])
    if not unit > 0:
        return None
    profiles /= unit
    n_inside = np.isfinite(profiles).sum(axis=1)
    surface = profiles.shape[1] - 1 - np.argmax((profiles > SURFACE)[:, ::-1], axis=1)
    is_valid = (surface < n_inside - GAP) & (surface > DEEPEST)
    if is_valid.sum() < MIN_VALID:
        return None
    return SkullSigns(_air(profiles[is_valid], surface[is_valid]), _dip(profiles[is_valid], surface[is_valid]))


def _middle_of_brain(values: Array, affine: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the point (mm) below the vertex, or in the middle of a stack of few slices, where rays start."""
    steps = tuple(slice(None, None, max(1, round(3 / size))) for size in np.linalg.norm(affine[:3, :3], axis=0))
    coarse = values[steps]
    present = coarse[coarse > 0]
    if not present.size:
        return None
    voxels = np.argwhere(coarse > SURFACE * np.quantile(present, 0.95)) * [step.step for step in steps]
    points = voxels @ affine[:3, :3].T + affine[:3, 3]
    top, middle = np.quantile(points[:, 2], [0.999, 0.5])
    height = max(top - BELOW_VERTEX, middle)
    beside = points[np.abs(points[:, 2] - height) < 10]
    return np.array([*np.median(beside[:, :2], axis=0), height]) if len(beside) else None


def _along_rays(values: Array, affine: NDArray[np.float64], start: NDArray[np.float64]) -> Array:
    """Sample intensities ``(ray, mm)``, NaN outside of the field of view."""
    heights = (np.arange(N_RAYS) + 0.5) / N_RAYS  # equal areas of the upper half of a sphere
    angles = np.pi * (1 + 5**0.5) * np.arange(N_RAYS)
    radii = np.sqrt(1 - heights**2)
    directions = np.stack([radii * np.cos(angles), radii * np.sin(angles), heights], axis=1)
    points = start + np.arange(LENGTH)[:, None] * directions[:, None, :]
    to_voxels = np.linalg.inv(affine)
    voxels = points @ to_voxels[:3, :3].T + to_voxels[:3, 3]
    sampled: Array = map_coordinates(values, np.moveaxis(voxels, -1, 0), order=1, cval=np.nan)
    return sampled


def _air(profiles: Array, surface: NDArray[np.intp]) -> float:
    is_outside = np.isfinite(profiles) & (np.arange(profiles.shape[1]) >= surface[:, None] + GAP)
    return float((np.abs(profiles[is_outside]) > ZERO).mean())


def _dip(profiles: Array, surface: NDArray[np.intp]) -> float:
    depths = surface[:, None] - np.arange(DEEPEST + 1)
    median = np.median(np.take_along_axis(profiles, depths, axis=1), axis=0)
    around = np.minimum(np.maximum.accumulate(median), np.maximum.accumulate(median[::-1])[::-1])
    return float(np.max(1 - median / around))
