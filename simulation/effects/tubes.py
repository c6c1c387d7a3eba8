"""Thin tubes, drawn by spreading points along lines over voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Volume = NDArray[np.float32]


def splat(points: NDArray[np.float64], volumes: ArrayLike, shape: tuple[int, ...], spacing: float) -> Volume:
    """Add the volumes (mm^3) of points ``(n, 3)`` (voxels) to the voxels about them; at most 1 in each."""
    shares = np.zeros(int(np.prod(shape)), np.float32)
    lower = np.floor(points).astype(int)
    for corner in np.ndindex(2, 2, 2):
        voxels = lower + corner
        weights = np.prod(np.where(corner, points - lower, 1 - points + lower), axis=1) * volumes / spacing**3
        inside = ((voxels >= 0) & (voxels < shape)).all(axis=1)
        np.add.at(shares, np.ravel_multi_index(tuple(voxels[inside].T), shape), weights[inside].astype(np.float32))
    return np.minimum(shares, 1).reshape(shape)


def tubes(
    starts: NDArray[np.float64],
    directions: NDArray[np.float64],
    lengths: NDArray[np.float64],
    radii: NDArray[np.float64],
    shape: tuple[int, ...],
    spacing: float,
    rng: np.random.Generator,
) -> Volume:
    """Draw winding tubes.

    Args:
        starts: ``(n, 3)`` in voxels.
        directions: ``(n, 3)``, of any length, in which they set out.
        lengths: ``(n,)`` mm.
        radii: ``(n,)`` mm.
        shape: of the volume.
        spacing: mm.
        rng: turns them on their way.

    Returns:
        Share of each voxel that they take, ``(x, y, z)``.
    """
    step, n_steps = spacing / 2, int(np.ceil(lengths.max(initial=0) / spacing * 2)) + 1
    directions = directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-6)
    turns = np.cumsum(rng.normal(0, 0.08, (len(starts), n_steps, 3)), axis=1)
    steps = directions[:, None] + turns
    steps *= 0.5 / np.linalg.norm(steps, axis=-1, keepdims=True)
    points = starts[:, None] + np.cumsum(steps, axis=1)
    is_drawn = np.arange(n_steps) * step <= lengths[:, None]
    volumes = np.broadcast_to((np.pi * radii**2 * step)[:, None], is_drawn.shape)
    return splat(points[is_drawn], volumes[is_drawn], shape, spacing)
