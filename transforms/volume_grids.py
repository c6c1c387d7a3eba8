"""Volumes on the same or on different grids."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import SpatialResample

GRID_TOLERANCE = 1e-3  # mm, or mm per voxel: headers written by different programs differ by that much


def same_grid(image: MetaTensor, other: MetaTensor, tolerance: float = GRID_TOLERANCE) -> bool:
    """Tell whether spatial shapes are equal and affines differ by no more than ``tolerance`` (mm)."""
    close = np.allclose(image.affine.numpy(), other.affine.numpy(), rtol=0, atol=tolerance)
    return image.shape[1:] == other.shape[1:] and close


def covered_fraction(image: MetaTensor, other: MetaTensor) -> float:
    """Tell which part of the foreground of ``image`` (above its mean) is within the grid of ``other``."""
    values = image.as_tensor()[0]
    voxels = torch.nonzero(values > values.mean()).numpy()
    matrix = np.linalg.solve(other.affine.numpy(), image.affine.numpy())
    indices = voxels @ matrix[:3, :3].T + matrix[:3, 3]
    inside = (indices >= -0.5) & (indices <= np.array(other.shape[1:]) - 0.5)
    return float(inside.all(axis=1).mean())


def resample_to(image: MetaTensor, reference: MetaTensor, mode: str = "bilinear") -> MetaTensor:
    """Resample ``image`` by the affines to the grid of ``reference``, if it is another; zero outside."""
    if same_grid(image, reference):
        return image
    resample = SpatialResample(mode=mode, padding_mode="zeros")
    out = resample(image, dst_affine=reference.affine, spatial_size=reference.shape[1:])
    return cast(MetaTensor, out)
