"""Volumes as images of ITK, whose world is LPS, and its transforms as matrices of ours, which is RAS."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its documented abbreviation)
from numpy.typing import NDArray

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def to_sitk(values: NDArray[np.float32], affine: NDArray[np.float64]) -> sitk.Image:
    """Return an ITK image of a volume ``(x, y, z)`` with its voxel-to-world matrix (RAS, mm)."""
    placed = RAS_TO_LPS @ affine
    spacing = np.linalg.norm(placed[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.T, dtype=np.float32))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((placed[:3, :3] / spacing).flatten().tolist())
    image.SetOrigin(placed[:3, 3].tolist())
    return image


def shrink(image: sitk.Image, voxel_size: float) -> sitk.Image:
    """Average voxels along the axes on which they are smaller than ``voxel_size`` (mm)."""
    return sitk.BinShrink(image, [max(1, round(voxel_size / size)) for size in image.GetSpacing()])


def matrix_of(transform: sitk.Transform) -> NDArray[np.float64]:
    """Return the 4x4 matrix (LPS, mm) of an affine transform: what it does to the origin and to unit vectors."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(point)) - origin for point in np.eye(3).tolist()]
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([*columns, origin])
    return matrix
