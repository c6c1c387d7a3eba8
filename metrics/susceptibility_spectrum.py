"""How far a susceptibility map is from the truth in k-space, by the angle to the main field."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..operators.b0_direction import Vector
from ..operators.dipole import vectors
from .pairs import Volume, demeaned_pair

MAGIC_ANGLE = math.degrees(math.acos(1 / math.sqrt(3)))
"""Degrees, about 54.7, at which the dipole kernel ``1/3 - cos^2`` is zero: the field tells nothing there."""

N_ANGLES = 45  # of 2 degrees; the magic angle lies near the middle of one


def errors_by_angle(
    prediction: ArrayLike,
    truth: ArrayLike,
    voxel_size: Vector,
    b0_direction: Vector,
    mask: ArrayLike | None = None,
    n_angles: int = N_ANGLES,
) -> Volume:
    """Return the error in percent, ``100 |F(x - t)| / |F t|``, in bins of the angle between k and B0.

    Norms are root sums of squares over a bin, as those of the whole map in :func:`demeaned_error`, and the means inside
    of the mask are subtracted alike. The dipole kernel depends on this angle alone (Salomir et al. 2003, Concepts Magn
    Reson B 19:26, doi:10.1002/cmr.b.10083), so that the error by angle shows what an inversion does where the field
    tells little: the cone of the magic angle, where a map's streaks have their spectrum. The zero frequency, and the
    highest of even axes, which stands for both signs, have no angle and are left out.

    Args:
        prediction: ppm, ``(x, y, z)``.
        truth: ppm, of the same shape.
        voxel_size: mm, ``(3,)``; k is in cycles per mm.
        b0_direction: in voxel axes, ``(3,)``, of any length but zero.
        mask: only what is inside counts; all voxels if it is None.
        n_angles: number of bins, of equal width from 0 (k along B0) to 90 degrees (across).

    Returns:
        ``(n_angles,)``; NaN where the truth has nothing, or the grid no frequency.

    Raises:
        ValueError: for shapes that differ, an empty mask, a voxel size that is not positive, a direction of length
            zero, or no bins.
    """
    if n_angles < 1:
        raise ValueError(f"n_angles must be positive, got {n_angles}")
    x, t, inside = demeaned_pair(prediction, truth, mask)
    x, t = x * inside, t * inside
    angles, weights = _angles(x.shape, voxel_size, b0_direction)
    numbers = np.minimum(angles * (n_angles / 90), n_angles - 1).astype(int).ravel()
    error, whole = (np.bincount(numbers, (_power(v) * weights).ravel(), n_angles) for v in (x - t, t))
    return np.asarray(100 * np.sqrt(np.divide(error, whole, out=np.full(n_angles, math.nan), where=whole > 0)))


def angle_edges(n_angles: int = N_ANGLES) -> Volume:
    """Return the edges of the bins of :func:`errors_by_angle` in degrees, ``(n_angles + 1,)``."""
    return np.linspace(0, 90, n_angles + 1)


def _power(image: Volume) -> Volume:
    return np.asarray(np.abs(np.fft.rfftn(image)) ** 2)


def _angles(shape: Sequence[int], voxel_size: Vector, b0_direction: Vector) -> tuple[Volume, Volume]:
    """Return the angle (degrees) of each frequency of half of k-space, and how often it counts: 0, 1 or 2 times."""
    sizes, directions, _ = vectors(voxel_size, b0_direction, torch.float64, None)
    steps = sizes[0].tolist()
    kx, ky = (np.fft.fftfreq(n, step) for n, step in zip(shape[:2], steps, strict=False))
    kz = np.fft.rfftfreq(shape[2], steps[2])
    grid = np.meshgrid(kx, ky, kz, indexing="ij", sparse=True)
    along = sum(k * b for k, b in zip(grid, directions[0].tolist(), strict=True))
    length = np.sqrt(sum(k**2 for k in grid))
    weights = np.where(np.arange(kz.size) == 0, 1.0, 2.0) * np.ones(length.shape)  # -k is in the other half
    weights[0, 0, 0] = 0
    for axis, n in enumerate(shape):
        if n % 2 == 0:
            np.moveaxis(weights, axis, 0)[n // 2] = 0
    cosine = np.abs(along) / np.where(length > 0, length, 1)
    return np.degrees(np.arccos(np.minimum(cosine, 1))), weights
