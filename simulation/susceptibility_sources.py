"""Small sources of susceptibility that no tissue map has: blobs, veins, and rims of lesions."""

from __future__ import annotations

from collections.abc import Sequence

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
VEIN_RADII = (0.5, 0.8, 1.3)  # mm


def blobs(
    inside: Mask, voxel_size: Sequence[float], rng: np.random.Generator, n_blobs: int, radius: tuple[float, float]
) -> Volume:
    """Draw ellipsoids with centers inside of a mask.

    Args:
        inside: ``(x, y, z)``.
        voxel_size: mm.
        rng: source of all randomness.
        n_blobs: how many.
        radius: smallest and largest half axis, mm.

    Returns:
        Share of each voxel that they take, ``(x, y, z)``.
    """
    shares = np.zeros(inside.shape, np.float32)
    centers = np.argwhere(inside)
    for _ in range(n_blobs if len(centers) else 0):
        center = rng.choice(centers)
        axes = rng.uniform(*radius, 3)
        turn = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
        half = np.ceil((axes.max() + 2 * max(voxel_size)) / voxel_size).astype(int)
        box = tuple(slice(max(c - h, 0), c + h + 1) for c, h in zip(center, half, strict=True))
        places = np.stack(np.meshgrid(*(np.arange(shares.shape[a])[s] for a, s in enumerate(box)), indexing="ij"), -1)
        depth = (1 - np.linalg.norm((places - center) * voxel_size @ turn / axes, axis=-1)) * axes.min()
        shares[box] = np.maximum(shares[box], np.clip(depth / min(voxel_size) + 0.5, 0, 1))
    return shares * inside


def veins(inside: Mask, voxel_size: Sequence[float], rng: np.random.Generator, n_veins: int) -> Volume:
    """Draw winding tubes of radii of :data:`VEIN_RADII` inside of a mask.

    Args:
        inside: ``(x, y, z)``.
        voxel_size: mm.
        rng: source of all randomness.
        n_veins: how many.

    Returns:
        Share of each voxel that they take, ``(x, y, z)``.
    """
    shares = np.zeros(inside.shape, np.float32)
    starts = np.argwhere(inside)
    for radius, n_tubes in zip(VEIN_RADII, rng.multinomial(n_veins, (0.5, 0.35, 0.15)), strict=True):
        if not n_tubes or not len(starts):
            continue
        lines = np.zeros(inside.shape, bool)
        for _ in range(n_tubes):
            path = rng.choice(starts) + _walk(min(voxel_size) / 2, rng) / voxel_size
            voxels = np.round(path).astype(int)
            voxels = voxels[((voxels >= 0) & (voxels < inside.shape)).all(axis=1)]
            lines[tuple(voxels.T)] = True
        distance = ndimage.distance_transform_edt(~lines, sampling=voxel_size)
        shares = np.maximum(shares, np.clip((radius - distance) / min(voxel_size) + 0.5, 0, 1).astype(np.float32))
    return shares * inside


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


def _walk(step: float, rng: np.random.Generator, length: tuple[float, float] = (20.0, 60.0)) -> NDArray[np.float64]:
    """Walk on with a direction that turns slowly: points ``(n, 3)`` (mm) ``step`` apart, from the origin."""
    n_steps = int(rng.uniform(*length) / step)
    turns = rng.normal(0, 0.15 * np.sqrt(step), (n_steps, 3))
    directions = rng.normal(size=3) + np.cumsum(turns, axis=0) * np.sqrt(3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.cumsum(directions * step, axis=0)
