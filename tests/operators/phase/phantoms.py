"""Fields in closed form: of a sphere, and of a source outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def places(shape: Sequence[int], voxel_size: Sequence[float], center: Sequence[float]) -> Tensor:
    """Return places relative to a center in mm, ``(3, x, y, z)``."""
    grids = [(torch.arange(n, dtype=torch.float64) * s - c) for n, s, c in zip(shape, voxel_size, center, strict=True)]
    return torch.stack(torch.meshgrid(*grids, indexing="ij"))


def sphere_field(
    shape: Sequence[int],
    voxel_size: Sequence[float],
    center: Sequence[float],
    radius: float,
    susceptibility: float = 1.0,
    direction: Sequence[float] = (0.0, 0.0, 1.0),
) -> Tensor:
    """Return the field (ppm) of a sphere (mm, ppm) in closed form: a dipole's outside, zero inside."""
    r = places(shape, voxel_size, center)
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    length = r.norm(dim=0).clamp(min=1e-9)
    cosine = torch.einsum("a,axyz->xyz", torch.from_numpy(unit), r) / length
    return torch.where(length > radius, susceptibility / 3 * (radius / length) ** 3 * (3 * cosine**2 - 1), 0.0)


def ball(shape: Sequence[int], voxel_size: Sequence[float], center: Sequence[float], radius: float) -> Tensor:
    """Return a mask of a ball, ``(x, y, z)``."""
    return places(shape, voxel_size, center).norm(dim=0) <= radius
