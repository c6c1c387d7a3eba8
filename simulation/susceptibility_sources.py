"""Small sources of susceptibility that no tissue map has: ellipsoids, and rims of lesions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

RIM_SHARE = 0.3  # of lesions that have a rim
RIM_WIDTH = 1.5  # mm
RIM_SUSCEPTIBILITY = (0.02, 0.08)  # ppm
SMALLEST_WITH_RIM = 50.0  # mm^3


class Ellipsoid(NamedTuple):
    """An ellipsoid, or a shell of one.

    Attributes:
        center: voxels.
        half_axes: mm.
        turn: ``(3, 3)``, from its own axes to those of the volume.
        core: relative size of an inside that is not of it.
    """

    center: NDArray[np.float64]
    half_axes: NDArray[np.float64]
    turn: NDArray[np.float64]
    core: float = 0.0


def shares_of(
    source: Ellipsoid, shape: Sequence[int], voxel_size: Sequence[float], roughness: Volume | float = 0.0
) -> tuple[tuple[slice, ...], Volume]:
    """A box of a volume of this shape, and the share of each of its voxels that an ellipsoid takes.

    Its radius grows by ``roughness`` (relative), a number or a volume of this shape.
    """
    half = np.ceil((max(source.half_axes) + 2 * max(voxel_size)) / np.asarray(voxel_size)).astype(int)
    middle = np.round(source.center).astype(int)
    box = tuple(slice(max(c - h, 0), max(c + h + 1, 0)) for c, h in zip(middle, half, strict=True))
    places = np.stack(np.meshgrid(*(np.arange(n)[s] for n, s in zip(shape, box, strict=True)), indexing="ij"), -1)
    radius = np.linalg.norm((places - source.center) * voxel_size @ source.turn / source.half_axes, axis=-1)
    radius = radius / (1 + (roughness if isinstance(roughness, float) else roughness[box]))
    to_voxels = min(source.half_axes) / min(voxel_size)
    shares = np.clip((1 - radius) * to_voxels + 0.5, 0, 1)
    if source.core:
        shares = np.minimum(shares, np.clip((radius - source.core) * to_voxels + 0.5, 0, 1))
    return box, shares.astype(np.float32)


def draw_blobs(inside: Mask, rng: np.random.Generator, n_blobs: int, radius: tuple[float, float]) -> list[Ellipsoid]:
    """Draw ellipsoids with centers inside of a mask and half axes (mm) within a range."""
    centers = np.flatnonzero(inside)
    return [
        Ellipsoid(
            np.array(np.unravel_index(rng.choice(centers), inside.shape), float),
            rng.uniform(*radius, 3),
            Rotation.from_rotvec(rng.normal(size=3)).as_matrix(),
        )
        for _ in range(n_blobs if len(centers) else 0)
    ]


def lesion_rims(lesions: Mask, voxel_size: Sequence[float], rng: np.random.Generator) -> Volume:
    """Draw the susceptibility (ppm) that iron adds to the rims of some lesions.

    Args:
        lesions: ``(x, y, z)``.
        voxel_size: mm.
        rng: source of all randomness.

    Returns:
        ``(x, y, z)``, not zero within :data:`RIM_WIDTH` of the border of a share of the larger lesions.
    """
    labels, n_lesions = ndimage.label(lesions, np.ones((3, 3, 3)))
    volumes = np.bincount(labels.ravel(), minlength=n_lesions + 1) * np.prod(voxel_size)
    amounts = rng.uniform(*RIM_SUSCEPTIBILITY, n_lesions + 1) * (rng.random(n_lesions + 1) < RIM_SHARE)
    amounts[(volumes < SMALLEST_WITH_RIM) | (np.arange(n_lesions + 1) == 0)] = 0
    depth = ndimage.distance_transform_edt(lesions, sampling=voxel_size)
    return (amounts[labels] * (depth <= RIM_WIDTH)).astype(np.float32)
