"""Voxel size and direction of the main field, in the axes of the voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data.utils import affine_to_spacing
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Vector = Sequence[float] | Tensor

MAX_SHEAR = 0.02  # cosine of the angle of two voxel axes, about 1 degree


def b0_direction_from_affine(affine: ArrayLike, world_direction: Sequence[float] = (0.0, 0.0, 1.0)) -> Tensor:
    """Express the direction of B0 in voxel axes, as a unit vector ``(3,)`` in float64.

    Args:
        affine: voxel-to-world matrix, RAS, mm.
        world_direction: of B0 in the scanner; along the bore, for a horizontal bore, is the z axis (head).

    Raises:
        ValueError: if the affine is singular or its axes are not at right angles, or the direction has length zero.
    """
    require_right_angles(affine)
    direction = _axes(affine).T @ np.asarray(world_direction, dtype=float)
    return unit_vectors(torch.from_numpy(direction)[None])[0]


def require_right_angles(affine: ArrayLike) -> None:
    """Check that the axes of voxels are at right angles, as transforms along them take it.

    Raises:
        ValueError: if the affine is singular, or they are not.
    """
    axes = _axes(affine)
    shear = abs(axes.T @ axes - np.eye(3)).max()
    if not shear <= MAX_SHEAR:
        raise ValueError(f"voxel axes must be at right angles, got a cosine of {shear:.3g}")


def _axes(affine: ArrayLike) -> NDArray[np.float64]:
    """Return the unit vectors of the voxel axes, in columns."""
    matrix = np.asarray(affine, dtype=float)[:3, :3]
    axes: NDArray[np.float64] = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    return axes


def voxel_size_from_affine(affine: ArrayLike) -> Tensor:
    """Return the voxel size (mm) along each axis, ``(3,)`` in float64."""
    return torch.as_tensor(np.asarray(affine_to_spacing(np.asarray(affine, dtype=float), 3)))


def unit_vectors(directions: Tensor) -> Tensor:
    """Scale vectors ``(b, 3)`` to length one.

    Raises:
        ValueError: for a vector of length zero.
    """
    lengths = directions.norm(dim=1, keepdim=True)
    if not (lengths > 0).all():
        raise ValueError(f"b0_direction must not have length zero, got {directions.tolist()}")
    return directions / lengths
