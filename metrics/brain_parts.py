"""Ventricles, cortex, and what lies below the tentorium, found in images of an extracted brain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu
from skimage.segmentation import watershed

from .template_position import register_to_template

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]
Affine = NDArray[np.float64]

GUIDES = ("T1w", "FLAIR")
"""Contrasts in which parts are found."""

MARGIN = 4  # mm around the brain
SMOOTHNESS = 15.0  # mm, of what brightens images unevenly
DARK_ON_FLAIR = 0.6  # of the brain's median: halfway between fluid and tissue
RIM = 4.0  # mm of cortex below fluid and surface, where only gray matter tells it from white
LINING = 3  # mm around the ventricles where fluid and white matter mix to gray
SMALLEST_GRAY = 200  # mm^3 of connected cortex
SMALLEST_FLUID = 50  # mm^3 of fluid below which cortex is looked for
MIN_BRAIN = 100_000  # mm^3


@dataclass(frozen=True)
class BrainParts:
    """Where the parts of a brain lie by which lesions are told apart.

    Attributes:
        affine: voxel-to-world matrix (RAS, mm) of the masks.
        ventricles: lateral and third ventricle, ``(x, y, z)``.
        cortex: of the cerebrum.
        infratentorial: brain stem and cerebellum.
    """

    affine: Affine
    ventricles: Mask
    cortex: Mask
    infratentorial: Mask


class _Brain(NamedTuple):
    """A brain on a grid of 1 mm along the world's axes: its images, mask, lesions, and coordinates in the template."""

    affine: Affine
    images: dict[str, Volume]
    mask: Mask
    lesions: Mask
    position: tuple[Volume, Volume, Volume]


def find_brain_parts(
    images: Mapping[str, Volume], affine: Affine, lesions: Mask, brain: Mask | None = None
) -> BrainParts | None:
    """Find ventricles, cortex, brain stem and cerebellum by gray values and by the place in the MNI152 template.

    Fluid is what is below 0.6 of the median on the FLAIR; without one, the darkest of three classes on the T1w (Otsu
    1979, IEEE Trans Syst Man Cybern 9:62). Where the fluid is narrowest, a watershed parts the deep one, the
    ventricles, from the outer one. Cortex is gray matter on the T1w, without deep nuclei and the ventricles' lining;
    without a T1w it is all within 4 mm of the outer fluid and the surface. Brain stem and cerebellum are told by their
    place alone.

    The brain must be seen for the most part; large tumors, resections and hydrocephalus are beyond this.

    Args:
        images: ``T1w``, ``FLAIR`` or both, ``(x, y, z)``, of one grid, zero outside of the brain unless ``brain`` is
            given.
        affine: voxel-to-world matrix (RAS, mm) of the grid.
        lesions: their mask, on the same grid, left out where gray values are told apart.
        brain: its mask, on the same grid.

    Returns:
        Masks on a grid of 1 mm; None where the place of the brain in the template is not found, or an image tells no
        tissues apart, as a mask does not.

    Raises:
        ValueError: without a T1w or FLAIR, or if shapes differ.
    """
    known = {name: np.asarray(images[name]) for name in GUIDES if name in images}
    if not known or any(image.shape != lesions.shape for image in known.values()):
        shapes = {name: np.shape(image) for name, image in images.items()}
        raise ValueError(f"images must have a T1w or FLAIR of the shape {lesions.shape} of lesions, got {shapes}")
    inside = np.any([image != 0 for image in known.values()], axis=0) if brain is None else brain
    found = _on_world_grid(known, affine, inside, lesions)
    if found is None or not all(_has_tissues(image[found.mask]) for image in found.images.values()):
        return None
    even = {name: _evened(image, found.mask) for name, image in found.images.items()}
    fluid, gray = _tissues(even, found.mask, found.lesions)
    below = found.mask & _below_tentorium(*found.position)
    ventricles = _ventricles(fluid & ~below, *found.position)
    outside = _without_small(~found.mask | (fluid & ~_grown(ventricles, 2)), SMALLEST_FLUID)
    cortex = _cortex(found, outside, gray, ventricles) & ~below & ~fluid
    return BrainParts(found.affine, ventricles, cortex, below)


def _on_world_grid(images: Mapping[str, Volume], affine: Affine, brain: Mask, lesions: Mask) -> _Brain | None:
    box = ndimage.find_objects(brain.astype(np.uint8))
    if not box or brain.sum() * abs(np.linalg.det(affine)) < MIN_BRAIN:
        return None
    corners = np.stack(np.meshgrid(*[(side.start, side.stop - 1) for side in box[0]])).reshape(3, 8)
    world = affine[:3, :3] @ corners + affine[:3, 3:]
    grid = np.eye(4)
    grid[:3, 3] = world.min(axis=1) - MARGIN
    shape = tuple(np.ceil(np.ptp(world, axis=1)).astype(int) + 2 * MARGIN + 1)
    matrix = np.linalg.solve(affine, grid)

    def resampled(volume: NDArray[np.generic]) -> Volume:
        values = np.asarray(volume, np.float32)
        return ndimage.affine_transform(values, matrix[:3, :3], matrix[:3, 3], shape, order=1)

    mask = ndimage.binary_fill_holes(resampled(brain) > 0.5)
    found = {name: resampled(np.where(brain, image, 0)) for name, image in images.items()}
    position = _position(next(iter(found.values())), grid)
    return None if position is None else _Brain(grid, found, mask, resampled(lesions) > 0.25, position)


def _position(image: Volume, affine: Affine) -> tuple[Volume, Volume, Volume] | None:
    """Return the coordinates (mm) of all voxels in the template."""
    to_template = register_to_template(image, affine)
    if to_template is None:
        return None
    matrix = (to_template @ affine).astype(np.float32)
    index = np.ogrid[tuple(slice(n) for n in image.shape)]
    x, y, z = (sum(a * i for a, i in zip(row[:3], index, strict=True)) + row[3] for row in matrix[:3])
    return x, y, z


def _has_tissues(values: Volume) -> bool:
    """Tell whether gray values of a brain are positive for the most part, and some are brighter than most."""
    return bool(0 < np.median(values) < values.max())


def _evened(image: Volume, brain: Mask) -> Volume:
    """Divide by the smooth brightness of the brighter half of the brain."""
    even, every = image / np.median(image[brain]), (slice(None, None, 3),) * 3
    for _ in range(2):
        bright = (brain & (even > np.median(even[brain])))[every].astype(np.float32)
        light, weight = (ndimage.gaussian_filter(v, SMOOTHNESS / 3) for v in (even[every] * bright, bright))
        brightness = ndimage.zoom(light / np.maximum(weight, 1e-4), np.divide(even.shape, bright.shape), order=1)
        even = even / np.maximum(brightness, 0.3 * np.median(brightness[brain]))
    return even


def _tissues(even: Mapping[str, Volume], brain: Mask, lesions: Mask) -> tuple[Mask, Mask | None]:
    """Return fluid, and gray matter where there is a T1w."""
    healthy, gray = brain & ~ndimage.binary_dilation(lesions), None
    fluid = brain & ~lesions
    if "FLAIR" in even:
        fluid &= even["FLAIR"] < DARK_ON_FLAIR * np.median(even["FLAIR"][healthy])
    if "T1w" in even:
        low, high = threshold_multiotsu(even["T1w"][healthy], 3)
        fluid = fluid if "FLAIR" in even else fluid & (even["T1w"] < low)
        gray = healthy & (even["T1w"] >= low) & (even["T1w"] < high)
    return fluid, gray


def _below_tentorium(x: Volume, y: Volume, z: Volume) -> Mask:
    """Tell brain stem and cerebellum by their place (mm, MNI152)."""
    side = np.abs(x)
    stem = (side < 18) & (y < -12) & (z < -8)
    cerebellum = (y < -38) & (z < 4 - 0.6 * side - 0.5 * np.maximum(-y - 70, 0))
    return (side < 58) & (stem | cerebellum | ((y < -28) & (z < -32)))


def _ventricles(fluid: Mask, x: Volume, y: Volume, z: Volume) -> Mask:
    """Part the fluid, where it is narrowest, between what by its place is a ventricle and what is not (mm, MNI152)."""
    side = np.abs(x)
    around = (side < 46) & (y > -64) & (y < 42) & (z > -24) & (z < 42)
    insula = (side > 24) & (y > -14) & (z > -8)
    fissure = (side < 6) & ((y > 34) | (z > 38) | (y < -40))
    base = ((z < -2) & (side < 16) & (y > 4)) | ((z < -14) & (side < 20))
    cistern = (side < 14) & (y < -34) & (z < 8)
    outer = fluid & (~around | insula | fissure | base | cistern)
    depth = ndimage.distance_transform_edt(fluid)
    core = (depth >= 2) & ~outer & (side > 3) & (side < 20) & (y > -36) & (y < 26) & (z > 4) & (z < 26)
    return np.asarray(watershed(-depth, core + 2 * outer.astype(np.int8), mask=fluid) == 1)


def _cortex(brain: _Brain, outside: Mask, gray: Mask | None, ventricles: Mask) -> Mask:
    x, y, z = brain.position
    if gray is None:
        return brain.mask & _grown(outside, RIM)
    nuclei = (np.abs(x) < 38) & (y > -32) & (y < 22) & (z > -12) & (z < 18) & ~_grown(outside, RIM - 1)
    return _without_small(gray & ~_grown(ventricles, LINING) & ~nuclei, SMALLEST_GRAY)


def _grown(mask: Mask, distance: float) -> Mask:
    """Return what lies within ``distance`` (voxels) of ``mask``."""
    boxes, out = ndimage.find_objects(mask.astype(np.uint8)), mask.copy()
    for box in boxes:
        around = tuple(slice(max(0, side.start - ceil(distance)), side.stop + ceil(distance)) for side in box)
        out[around] = ndimage.distance_transform_edt(~mask[around]) <= distance
    return out


def _without_small(mask: Mask, size: int) -> Mask:
    labels, _ = ndimage.label(mask)
    is_large = np.bincount(labels.ravel()) >= size
    is_large[0] = False
    return np.asarray(is_large[labels])
